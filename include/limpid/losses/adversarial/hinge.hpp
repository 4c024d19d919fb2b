#pragma once

#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/relu.h>

#include <string_view>

namespace limpid {

/// Pushes the critic's scores past a margin of one, and no further.
///
/// Source: Lim and Ye, "Geometric GAN", 2017; Miyato et al., "Spectral Normalization for Generative
/// Adversarial Networks", ICLR 2018, eq. 16 and 17.
/// Critic: E max(0, 1 - D(target)) + E max(0, 1 + D(restored)); generator: -E D(restored).
struct Hinge {
  static constexpr std::string_view name = "hinge";

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto real = detail::scores_of(critic, batch.target, batch);
    const auto fake = detail::scores_of_detached(critic, batch);
    return at::relu(1 - real).mean() + at::relu(1 + fake).mean();
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return -detail::scores_of(critic, batch.restored, batch).mean();
  }
};

}  // namespace limpid
