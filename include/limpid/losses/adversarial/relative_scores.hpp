#pragma once

#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>

namespace limpid::detail {

/// Scores of both images, each less the mean score of the other over the whole batch.
struct RelativeScores {
  at::Tensor target;
  at::Tensor restored;
};

inline RelativeScores relative_scores(const at::Tensor& real, const at::Tensor& fake,
                                      const AdversarialBatch& batch, bool constant_means = false) {
  const auto mean = [&](const at::Tensor& scores) {
    return batch.whole_mean(constant_means ? scores.detach().mean() : scores.mean());
  };
  return {real - mean(fake), fake - mean(real)};
}

/// For the critic's loss: the restored image is a constant.
template <ScoreCritic C>
RelativeScores critic_relative_scores(C& critic, const AdversarialBatch& batch,
                                      bool constant_means = false) {
  const auto real = scores_of(critic, batch.target, batch);
  const auto fake = scores_of_detached(critic, batch);
  return relative_scores(real, fake, batch, constant_means);
}

/// For the generator's loss: the scores of the target are constants.
template <ScoreCritic C>
RelativeScores generator_relative_scores(C& critic, const AdversarialBatch& batch) {
  const auto real = constant_scores_of_target(critic, batch);
  return relative_scores(real, scores_of(critic, batch.restored, batch), batch);
}

}  // namespace limpid::detail
