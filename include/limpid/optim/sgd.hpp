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

/// Stochastic gradient descent with momentum.
///
/// Source: Sutskever et al., "On the importance of initialization and momentum in deep learning",
/// ICML 2013; as `torch::optim::SGD`, without dampening. Differs: norms and biases do not decay.
struct SGD {
  static constexpr std::string_view name = "sgd";
  static constexpr std::array<std::string_view, 1> state_names{"momentum_buffer"};

  double momentum = 0.9;  ///< share of the past steps in each
  bool nesterov = false;  ///< looks ahead by the momentum
  double decay = 0;       ///< times the weight, added to the gradient

  static void each_option(auto& self, auto&& visit) {
    visit("momentum", self.momentum, "share of the past steps in each");
    visit("nesterov", self.nesterov, "look ahead by the momentum");
    visit("decay", self.decay, "weight decay");
  }

  void check() const;

  void update(UpdateGroup& group) const;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void SGD::check() const {
  detail::check_share("momentum", momentum);
  detail::check_not_negative("decay", decay);
}

LIMPID_INLINE void SGD::update(UpdateGroup& group) const {
  detail::add_decay_to_gradient(group, decay);
  auto& buffer = group.state[0];
  at::_foreach_mul_(buffer, momentum);
  at::_foreach_add_(buffer, group.gradients, 1);
  if (nesterov) {
    const auto ahead = at::_foreach_add(group.gradients, buffer, momentum);
    at::_foreach_add_(group.parameters, ahead, -group.rate);
  } else {
    at::_foreach_add_(group.parameters, buffer, -group.rate);
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
