#pragma once

#include <limpid/losses/adversarial/relative_scores.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>

#include <string_view>

namespace limpid {

/// Least squares on scores relative to the mean of the other image's.
///
/// Source: Jolicoeur-Martineau, "The Relativistic Discriminator", ICLR 2019 (RaLSGAN); the loss of
/// DeblurGAN-v2 (Kupyn et al., ICCV 2019, eq. 1).
/// With r = D(target), f = D(restored), means over the whole batch: critic
/// (E (r - E f - 1)^2 + E (f - E r + 1)^2) / 2; generator the same with the signs of the ones
/// swapped.
struct RelativisticLeastSquares {
  static constexpr std::string_view name = "relativistic-least-squares";

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto scores = detail::critic_relative_scores(critic, batch);
    return ((scores.target - 1).square().mean() + (scores.restored + 1).square().mean()) * 0.5;
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    const auto scores = detail::generator_relative_scores(critic, batch);
    return ((scores.target + 1).square().mean() + (scores.restored - 1).square().mean()) * 0.5;
  }
};

}  // namespace limpid
