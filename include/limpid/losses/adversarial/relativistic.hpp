#pragma once

#include <limpid/losses/adversarial/relative_scores.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/softplus.h>

#include <string_view>

namespace limpid {

/// Is the target more real than the average restored image, and the other way round?
///
/// Source: Jolicoeur-Martineau, "The Relativistic Discriminator: a Key Element Missing from
/// Standard GAN", ICLR 2019, sec. 4.2 (RaSGAN); used by ESRGAN (Wang et al. 2018).
/// With r = D(target), f = D(restored), means over the whole batch and s(x) = ln(1 + e^x):
/// critic (E s(E f - r) + E s(f - E r)) / 2; generator (E s(r - E f) + E s(E r - f)) / 2.
/// Differs: halved, as in DeblurGAN-v2, and both terms have gradients.
struct Relativistic {
  bool constant_means = false;  ///< no gradient through the means in the critic's loss (BasicSR)

  static constexpr std::string_view name = "relativistic";

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto scores = detail::critic_relative_scores(critic, batch, constant_means);
    return (at::softplus(-scores.target).mean() + at::softplus(scores.restored).mean()) * 0.5;
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    const auto scores = detail::generator_relative_scores(critic, batch);
    return (at::softplus(scores.target).mean() + at::softplus(-scores.restored).mean()) * 0.5;
  }
};

}  // namespace limpid
