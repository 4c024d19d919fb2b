#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/random.hpp>

#include <ATen/core/Tensor.h>

namespace limpid {

/// What an adversarial loss sees of one batch: three images (N, 3, H, W) in [-1, 1], and where its
/// random numbers come from.
struct AdversarialBatch {
  at::Tensor degraded;
  at::Tensor restored;
  at::Tensor target;
  Random* random = nullptr;  ///< never null inside the trainer; a loss says so where it needs it
};

namespace detail {

/// The critic's output for `image`, given the degraded image where the critic wants it.
template <class C>
at::Tensor judge(C& critic, const at::Tensor& image, const AdversarialBatch& batch) {
  if constexpr (ConditionalCritic<C>) {
    return critic->forward(image, batch.degraded);
  } else {
    return critic->forward(image);
  }
}

}  // namespace detail
}  // namespace limpid
