#pragma once

#include <limpid/losses/adversarial/relative_scores.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/relu.h>

#include <string_view>

namespace limpid {

/// Hinge on scores relative to the mean of the other image's.
///
/// Source: Jolicoeur-Martineau, "The Relativistic Discriminator", ICLR 2019 (RaHingeGAN).
/// With r = D(target), f = D(restored), means over the whole batch: critic
/// (E max(0, 1 - (r - E f)) + E max(0, 1 + (f - E r))) / 2; generator the same with the signs of
/// the differences swapped.
struct RelativisticHinge {
  static constexpr std::string_view name = "relativistic-hinge";

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto scores = detail::critic_relative_scores(critic, batch);
    return (at::relu(1 - scores.target).mean() + at::relu(1 + scores.restored).mean()) * 0.5;
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    const auto scores = detail::generator_relative_scores(critic, batch);
    return (at::relu(1 + scores.target).mean() + at::relu(1 - scores.restored).mean()) * 0.5;
  }
};

}  // namespace limpid
