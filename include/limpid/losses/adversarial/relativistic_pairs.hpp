#pragma once

#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/softplus.h>

#include <string_view>

namespace limpid {

/// Is this target more real than its own restored image? Compared score by score, without means.
///
/// Source: Jolicoeur-Martineau, "The Relativistic Discriminator", ICLR 2019, sec. 4.1 (RSGAN).
/// With r = D(target), f = D(restored) and s(x) = ln(1 + e^x): critic E s(f - r); generator
/// E s(r - f). Restoration has such pairs: each score of f belongs to the same patch as r's.
struct RelativisticPairs {
  static constexpr std::string_view name = "relativistic-pairs";

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto real = detail::scores_of(critic, batch.target, batch);
    return at::softplus(detail::scores_of_detached(critic, batch) - real).mean();
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    const auto real = detail::constant_scores_of_target(critic, batch);
    return at::softplus(real - detail::scores_of(critic, batch.restored, batch)).mean();
  }
};

}  // namespace limpid
