#pragma once

#include <limpid/core/check.hpp>
#include <limpid/losses/adversarial/gradient_penalty.hpp>
#include <limpid/losses/adversarial/non_saturating.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/softplus.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// The non-saturating game with the critic held flat at the targets.
///
/// Source: Mescheder, Geiger and Nowozin, "Which Training Methods for GANs do actually Converge?",
/// ICML 2018, eq. 9 (R1); the game is that of `NonSaturating`.
/// Critic: E s(-D(target)) + E s(D(restored)) + gamma / 2 * E |grad D(target)|^2, with
/// s(x) = ln(1 + e^x); generator: E s(-D(restored)). The penalty costs a second backward pass
/// through the critic, and no forward pass: the scores of the target serve twice. The critic must
/// not mix samples.
struct SoftplusR1 {
  double gamma = 10.0;                      ///< twice the factor of the penalty, as in the paper
  PenaltySlope slope = PenaltySlope::mean;  ///< which function of many scores is D in the penalty
  at::Tensor length{};                      ///< of the slope, as last seen

  static constexpr std::string_view name = "softplus-r1";

  /// @throws c10::ValueError if `gamma` is negative.
  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) {
    detail::check_not_negative("SoftplusR1: gamma", gamma);
    const auto real = slope_of(critic, batch.target, batch, slope);
    length = real.length();
    const auto fake = detail::scores_of_detached(critic, batch);
    return at::softplus(-real.scores).mean() + at::softplus(fake).mean() +
           gamma / 2 * real.penalty(0.0);
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return NonSaturating{}.generator_loss(critic, batch);
  }

  /// The mean length of the slope, for a log.
  std::vector<std::pair<std::string, at::Tensor>> figures() const {
    return detail::slope_figures(length);
  }
};

}  // namespace limpid
