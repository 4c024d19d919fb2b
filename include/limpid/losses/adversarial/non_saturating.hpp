#pragma once

#include <limpid/losses/adversarial/minimax.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/softplus.h>

#include <string_view>

namespace limpid {

/// The minimax critic with a generator whose gradient is largest where the critic is sure.
///
/// Source: Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, sec. 3.
/// Critic: as `Minimax`; generator: -E log p(restored), with p = sigmoid(score). Raw scores.
struct NonSaturating {
  static constexpr std::string_view name = "non-saturating";

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    return Minimax{}.critic_loss(critic, batch);
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return at::softplus(-detail::scores_of(critic, batch.restored, batch)).mean();
  }
};

}  // namespace limpid
