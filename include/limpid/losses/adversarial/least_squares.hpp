#pragma once

#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>

#include <string_view>

namespace limpid {

/// Squared distance of scores from 1 (real) and 0 (restored).
///
/// Source: Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, eq. 9.
/// Critic: E (D(target) - 1)^2 + E D(restored)^2; generator: E (D(restored) - 1)^2.
/// Differs: without the paper's factor 1/2, as in the thesis.
struct LeastSquares {
  static constexpr std::string_view name = "least-squares";

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto real = detail::scores_of(critic, batch.target, batch);
    const auto fake = detail::scores_of_detached(critic, batch);
    return (real - 1).square().mean() + fake.square().mean();
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return (detail::scores_of(critic, batch.restored, batch) - 1).square().mean();
  }
};

}  // namespace limpid
