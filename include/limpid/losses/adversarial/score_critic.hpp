#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <c10/macros/Export.h>

#include <utility>

// <ATen/autocast_mode.h> declares the same, and includes every operator.
namespace at::autocast {
TORCH_API void clear_cache();
}

namespace limpid {

namespace detail {

/// Raw scores of `image`, in float at least.
template <ScoreCritic C>
at::Tensor scores_of(C& critic, const at::Tensor& image, const AdversarialBatch& batch) {
  return at_least_float(judge(critic, image, batch));
}

/// Scores of the restored image for the critic's loss: nothing behind the image gets a gradient.
template <ScoreCritic C>
at::Tensor scores_of_detached(C& critic, const AdversarialBatch& batch) {
  return scores_of(critic, batch.restored.detach(), batch);
}

/// Scores of the target for the generator's loss, where they are constants.
template <ScoreCritic C>
at::Tensor constant_scores_of_target(C& critic, const AdversarialBatch& batch) {
  at::Tensor scores;
  {
    c10::NoGradGuard no_grad;
    scores = scores_of(critic, batch.target, batch);
  }
  // Weights that autocast cast without a graph must not serve a forward pass that needs one.
  at::autocast::clear_cache();
  return scores;
}

}  // namespace detail
}  // namespace limpid
