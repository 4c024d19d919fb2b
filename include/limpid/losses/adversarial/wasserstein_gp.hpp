#pragma once

#include <limpid/core/check.hpp>
#include <limpid/losses/adversarial/gradient_penalty.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// Difference of mean scores, with the critic's gradient held near length one.
///
/// Source: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, algorithm 1.
/// Critic: E D(restored) - E D(target) + penalty * E (|grad D(point)| - 1)^2, with one random point
/// between target and restored per sample; generator: -E D(restored). The critic must not mix
/// samples: instance or layer norm, no batch norm.
/// Differs: a critic of patches has many scores for an image; `slope` says which function of them
/// is D in the penalty.
struct WassersteinGP {
  double penalty = 10.0;                    ///< the paper's lambda
  PenaltySlope slope = PenaltySlope::mean;  ///< `per_pixel`: the thesis' published code
  at::Tensor length{};                      ///< of the slope, as last seen

  static constexpr std::string_view name = "wasserstein-gp";

  /// @throws c10::ValueError if `penalty` is negative or `batch.random` is null.
  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) {
    detail::check_not_negative("WassersteinGP: penalty", penalty);
    TORCH_CHECK_VALUE(batch.random != nullptr,
                      "WassersteinGP: expected a random source in the batch, got none");
    const auto point = batch.drawn(batch.target.size(0), [&](Random& random) {
      return random_point_between(batch.target, batch.restored, random);
    });
    const auto held = slope_of(critic, point, batch, slope);
    length = held.length();
    return Wasserstein{}.critic_loss(critic, batch) + penalty * held.penalty(1.0);
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return Wasserstein{}.generator_loss(critic, batch);
  }

  /// The mean length of the slope, for a log: near one where the penalty holds it.
  std::vector<std::pair<std::string, at::Tensor>> figures() const {
    return detail::slope_figures(length);
  }
};

}  // namespace limpid
