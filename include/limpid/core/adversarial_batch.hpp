#pragma once

#include <limpid/core/batch_share.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/random.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace limpid {

/// What an adversarial loss sees of one batch: three images (N, 3, H, W) in [-1, 1], and where its
/// random numbers come from.
struct AdversarialBatch {
  at::Tensor degraded;
  at::Tensor restored;
  at::Tensor target;
  Random* random = nullptr;  ///< never null inside the trainer; a loss says so where it needs it
  const BatchShare* share = nullptr;  ///< of several processes that share one batch; null: one

  /// The mean over the whole batch of what has mean `part` over the part that is here. For losses
  /// that need it inside of something that is not linear; what they return is averaged anyway.
  at::Tensor whole_mean(const at::Tensor& part) const {
    return share == nullptr ? part : share->mean(part);
  }

  /// What `draw(random)` gives for the part of the batch that is here, where one process draws for
  /// the whole batch in order.
  /// @param count  numbers that are drawn for the part: `normal` draws two, others one
  template <class Draw>
  auto drawn(std::int64_t count, Draw draw) const {
    if (share != nullptr) random->skip(share->rank * count);
    auto result = draw(*random);
    if (share != nullptr) random->skip((share->size - share->rank - 1) * count);
    return result;
  }
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
