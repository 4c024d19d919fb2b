#pragma once

#include <limpid/core/check.hpp>
#include <limpid/losses/adversarial/gradient_penalty.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>

#include <string_view>

namespace limpid {

/// Difference of mean scores, with the critic's gradient held near length one.
///
/// Source: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, algorithm 1.
/// Critic: E D(restored) - E D(target) + penalty * E (|grad D(point)| - 1)^2, with one random point
/// between target and restored per sample; generator: -E D(restored). The critic must not mix
/// samples: instance or layer norm, no batch norm.
struct WassersteinGP {
  double penalty = 10.0;                     ///< The paper's lambda.
  GradientNorm norm = GradientNorm::sample;  ///< `pixel`: the thesis' published code.

  static constexpr std::string_view name = "wasserstein_gp";

  /// @throws c10::ValueError if `penalty` is negative or `batch.random` is null.
  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    detail::check_not_negative("WassersteinGP: penalty", penalty);
    TORCH_CHECK_VALUE(batch.random != nullptr,
                      "WassersteinGP: expected a random source in the batch, got none");
    const auto point = random_point_between(batch.target, batch.restored, *batch.random);
    return Wasserstein{}.critic_loss(critic, batch) +
           penalty * gradient_penalty(critic, point, batch, 1.0, norm);
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return Wasserstein{}.generator_loss(critic, batch);
  }
};

}  // namespace limpid
