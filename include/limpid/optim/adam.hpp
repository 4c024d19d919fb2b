#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/optim/fused_adam.hpp>
#include <limpid/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

#include <array>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <c10/util/Exception.h>

#include <cmath>
#endif

namespace limpid {

namespace detail {

/// @throws c10::ValueError unless `value` may be the share of a moving average: 0 <= value < 1.
LIMPID_INLINE void check_share(std::string_view name, double value);

/// Weight decay by itself, beside the gradient's step.
LIMPID_INLINE void decay_weights(UpdateGroup& group, double decay);

/// Weight decay as a part of the gradient.
LIMPID_INLINE void add_decay_to_gradient(UpdateGroup& group, double decay);

}  // namespace detail

/// Steps by the gradient's average, divided by the root of its square's average.
///
/// Source: Kingma and Ba, "Adam", ICLR 2015. Bit for bit `torch::optim::Adam` on the CPU; on
/// a card LibTorch's fused kernel, where it takes the tensors.
struct Adam {
  static constexpr std::string_view name = "adam";
  static constexpr std::array<std::string_view, 2> state_names{"exp_avg", "exp_avg_sq"};

  double beta1 = 0.9;     ///< share of the past in the average of gradients
  double beta2 = 0.999;   ///< the same of their squares
  double epsilon = 1e-8;  ///< added to the divisor
  double decay = 0;       ///< times the weight, added to the gradient

  static void each_option(auto& self, auto&& visit) {
    visit("beta1", self.beta1, "share of the past in the average of gradients");
    visit("beta2", self.beta2, "share of the past in the average of squared gradients");
    visit("epsilon", self.epsilon, "added to the divisor");
    visit("decay", self.decay, "weight decay");
  }

  void check() const;

  void update(UpdateGroup& group) const;

  bool can_skip(const UpdateGroup& group) const;

  /// The step without decay.
  void step(UpdateGroup& group) const;
};

/// Adam with weight decay by itself: weights shrink by rate * decay in each step, whatever the
/// gradients are.
///
/// Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019. Bit for bit
/// `torch::optim::AdamW` on the CPU. Differs: norms and biases do not decay.
struct AdamW {
  static constexpr std::string_view name = "adamw";
  static constexpr auto state_names = Adam::state_names;

  double beta1 = 0.9;     ///< share of the past in the average of gradients
  double beta2 = 0.999;   ///< the same of their squares
  double epsilon = 1e-8;  ///< added to the divisor
  double decay = 0.01;    ///< times rate and weight, taken off the weight

  static void each_option(auto& self, auto&& visit) { Adam::each_option(self, visit); }

  void check() const;

  void update(UpdateGroup& group) const;

  bool can_skip(const UpdateGroup& group) const;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void check_share(std::string_view name, double value) {
  TORCH_CHECK_VALUE(value >= 0 && value < 1, name, " must be at least 0 and below 1, got ", value);
}

LIMPID_INLINE void decay_weights(UpdateGroup& group, double decay) {
  if (group.decays && decay != 0) at::_foreach_mul_(group.parameters, 1 - group.rate * decay);
}

LIMPID_INLINE void add_decay_to_gradient(UpdateGroup& group, double decay) {
  if (!group.decays || decay == 0) return;
  group.gradients = at::_foreach_add(group.gradients, group.parameters, decay);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void Adam::check() const {
  detail::check_share("beta1", beta1);
  detail::check_share("beta2", beta2);
  detail::check_positive("epsilon", epsilon);
  detail::check_not_negative("decay", decay);
}

LIMPID_INLINE void Adam::update(UpdateGroup& group) const {
  if (can_skip(group)) {
    detail::fused_adam(group, {beta1, beta2, epsilon, decay, /*decays_alone=*/false});
    return;
  }
  detail::add_decay_to_gradient(group, decay);
  step(group);
}

LIMPID_INLINE bool Adam::can_skip(const UpdateGroup& group) const {
  return detail::takes_fused_adam(group, false);
}

LIMPID_INLINE void Adam::step(UpdateGroup& group) const {
  const auto n = static_cast<double>(group.step);
  const auto bias1 = 1 - std::pow(beta1, n), bias2 = 1 - std::pow(beta2, n);
  auto &mean = group.state[0], &square = group.state[1];
  at::_foreach_mul_(mean, beta1);
  at::_foreach_add_(mean, group.gradients, 1 - beta1);
  at::_foreach_mul_(square, beta2);
  at::_foreach_addcmul_(square, group.gradients, group.gradients, 1 - beta2);
  auto divisor = at::_foreach_sqrt(square);
  at::_foreach_div_(divisor, std::sqrt(bias2));
  at::_foreach_add_(divisor, epsilon);
  at::_foreach_addcdiv_(group.parameters, mean, divisor, -(group.rate / bias1));
}

LIMPID_INLINE void AdamW::check() const { Adam{beta1, beta2, epsilon, decay}.check(); }

LIMPID_INLINE void AdamW::update(UpdateGroup& group) const {
  if (can_skip(group)) {
    detail::fused_adam(group, {beta1, beta2, epsilon, decay, /*decays_alone=*/true});
    return;
  }
  detail::decay_weights(group, decay);
  Adam{beta1, beta2, epsilon}.step(group);
}

LIMPID_INLINE bool AdamW::can_skip(const UpdateGroup& group) const {
  return detail::takes_fused_adam(group, true);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
