#pragma once

#include <limpid/core/check.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>

#include <string_view>

namespace limpid {

/// Difference of mean scores, with the critic's weights clipped after each of its steps.
///
/// Source: Arjovsky, Chintala and Bottou, "Wasserstein GAN", ICML 2017, algorithm 1.
/// Critic: E D(restored) - E D(target); generator: -E D(restored). Unbounded: the values are
/// distances, not likelihoods, and may be negative.
struct Wasserstein {
  double clip = 0.01;  ///< every parameter of the critic stays in [-clip, clip]

  static constexpr std::string_view name = "wasserstein";

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto real = detail::scores_of(critic, batch.target, batch);
    const auto fake = detail::scores_of_detached(critic, batch);
    return fake.mean() - real.mean();
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return -detail::scores_of(critic, batch.restored, batch).mean();
  }

  /// Clips the critic's parameters.
  /// @throws c10::ValueError if `clip` is not positive.
  template <ScoreCritic C>
  void after_critic_step(C& critic) const {
    detail::check_positive("Wasserstein: clip", clip);
    c10::NoGradGuard no_grad;
    for (auto& parameter : critic->parameters()) parameter.clamp_(-clip, clip);
  }
};

}  // namespace limpid
