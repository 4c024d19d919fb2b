#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/optim/adam.hpp>
#include <limpid/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>

#include <array>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#endif

namespace limpid {

/// Steps by the sign of a mixture of gradient and momentum: every weight moves by the rate. It
/// keeps one tensor a parameter, Adam two, and wants a rate three to ten times lower than Adam's
/// and a decay as much higher.
///
/// Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023, algorithm 2.
/// Differs: norms and biases do not decay.
struct Lion {
  static constexpr std::string_view name = "lion";
  static constexpr std::array<std::string_view, 1> state_names{"exp_avg"};

  double beta1 = 0.9;   ///< share of the momentum in the step
  double beta2 = 0.99;  ///< share of the past in the momentum
  double decay = 0;     ///< times rate and weight, taken off the weight

  static void each_option(auto& self, auto&& visit) {
    visit("beta1", self.beta1, "share of the momentum in the step");
    visit("beta2", self.beta2, "share of the past in the momentum");
    visit("decay", self.decay, "weight decay");
  }

  void check() const;

  void update(UpdateGroup& group) const;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Lion::check() const {
  detail::check_share("beta1", beta1);
  detail::check_share("beta2", beta2);
  detail::check_not_negative("decay", decay);
}

LIMPID_INLINE void Lion::update(UpdateGroup& group) const {
  detail::decay_weights(group, decay);
  auto& momentum = group.state[0];
  const auto direction = at::_foreach_mul(momentum, beta1);
  at::_foreach_add_(direction, group.gradients, 1 - beta1);
  for (const auto& tensor : direction) tensor.sign_();  // LibTorch 1.13 has no _foreach_sign_
  at::_foreach_add_(group.parameters, direction, -group.rate);
  at::_foreach_mul_(momentum, beta2);
  at::_foreach_add_(momentum, group.gradients, 1 - beta2);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
