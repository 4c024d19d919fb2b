#pragma once

#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/softplus.h>

#include <string_view>

namespace limpid {

/// The original GAN game: the generator minimises what the critic maximises.
///
/// Source: Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, eq. 1.
/// Critic: -E log p(target) - E log(1 - p(restored)); generator: E log(1 - p(restored)), with
/// p = sigmoid(score). Takes raw scores and stays finite for any of them. The generator's gradient
/// vanishes where the critic is sure; `NonSaturating` mends that.
struct Minimax {
  static constexpr std::string_view name = "minimax";

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto real = detail::scores_of(critic, batch.target, batch);
    const auto fake = detail::scores_of_detached(critic, batch);
    return at::softplus(-real).mean() + at::softplus(fake).mean();
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return -at::softplus(detail::scores_of(critic, batch.restored, batch)).mean();
  }
};

}  // namespace limpid
