#pragma once

#include <limpid/core/random.hpp>
#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/batch.hpp>
#include <limpid/degradations/batch_tensors.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/roll.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

// What an `Augmentation` does to whole batches. The pairs of a batch change with each other, so it
// is done once they are together, on the device that they are on.
namespace limpid::detail {

/// A part of a crop: `share` of its pixels, anywhere.
struct MixedPart {
  std::int64_t top, left, height, width;

  static MixedPart drawn(const at::Tensor& images, double share, Random& random) {
    const auto side = [&](std::int64_t whole) {
      const auto part = std::lround(std::sqrt(share) * static_cast<double>(whole));
      return std::clamp<std::int64_t>(part, 1, whole);
    };
    MixedPart part{0, 0, side(images.size(2)), side(images.size(3))};
    part.top = random.below(images.size(2) - part.height + 1);
    part.left = random.below(images.size(3) - part.width + 1);
    return part;
  }

  at::Tensor of(const at::Tensor& image) const {
    return image.narrow(-2, top, height).narrow(-1, left, width);
  }
};

/// Blends each pair with another of the batch, by a weight of its own, uniform in [0, 1).
///
/// Source: Zhang et al., "mixup", ICLR 2018, with alpha = 1; on pairs as in Zamir et al., "MIRNet",
/// ECCV 2020 and its successors.
inline void mix_up(Batch& batch, std::int64_t partner, Random& random) {
  std::vector<float> weights;
  for (std::int64_t i = 0; i < batch.target.size(0); ++i) {
    weights.push_back(static_cast<float>(random.uniform()));
  }
  const auto weight = for_each_picture(batch.target, weights);
  const auto mixed = [&](const at::Tensor& images) {
    return weight * images + (1 - weight) * at::roll(images, partner, 0);
  };
  batch = {mixed(batch.degraded), mixed(batch.target)};
}

/// Puts a part of another pair of the batch, degraded and target alike, in its place on each.
///
/// Source: Yun et al., "CutMix", ICCV 2019, on pictures in place of labels.
inline void cut_mix(Batch& batch, std::int64_t partner, Random& random) {
  Batch mixed{batch.degraded.clone(), batch.target.clone()};
  const auto count = batch.target.size(0);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto part = MixedPart::drawn(batch.target, random.uniform(), random);
    const auto from = (i - partner + count) % count;
    part.of(mixed.degraded[i]).copy_(part.of(batch.degraded[from]));
    part.of(mixed.target[i]).copy_(part.of(batch.target[from]));
  }
  batch = std::move(mixed);
}

/// Leaves only a part of each picture degraded, or all but a part.
///
/// Source: Yoo, Ahn and Sohn, "Rethinking Data Augmentation for Image Super-resolution" (CutBlur),
/// CVPR 2020.
/// @throws c10::ValueError where a target has several degraded pictures.
inline void cut_blur(Batch& batch, Random& random) {
  TORCH_CHECK_VALUE(batch.degraded.sizes() == batch.target.sizes(),
                    "cut-blur: expected one degraded picture for each target, got ",
                    batch.degraded.sizes(), " for ", batch.target.sizes());
  auto mixed = batch.degraded.clone();
  for (std::int64_t i = 0; i < mixed.size(0); ++i) {
    const auto part = MixedPart::drawn(batch.target, random.uniform(), random);
    if (random.chance(0.5)) {
      part.of(mixed[i]).copy_(part.of(batch.target[i]));
    } else {
      mixed[i].copy_(batch.target[i]);
      part.of(mixed[i]).copy_(part.of(batch.degraded[i]));
    }
  }
  batch.degraded = mixed;
}

/// A batch as the augmentation mixes it; what takes two pairs leaves a batch of one as it is.
inline Batch mixed_batch(Batch batch, const Augmentation& how, Random random) {
  if (!how.mixes()) return batch;
  // Drawn whether it is used or not, so that one choice leaves the others alone.
  const bool mixes_up = random.chance(how.mixup);
  const bool cuts = random.chance(how.cut_mix);
  const bool blurs = random.chance(how.cut_blur);
  const auto count = batch.target.size(0);
  const auto draw = random.bits();
  auto own = [&](std::uint64_t key) { return Random::stream(draw, {key}); };
  const auto partner_of = [&](Random& source) { return 1 + source.below(count - 1); };
  if (blurs) {
    auto source = own(3);
    cut_blur(batch, source);
  }
  if (cuts && count > 1) {
    auto source = own(2);
    const auto partner = partner_of(source);
    cut_mix(batch, partner, source);
  }
  if (mixes_up && count > 1) {
    auto source = own(1);
    const auto partner = partner_of(source);
    mix_up(batch, partner, source);
  }
  return batch;
}

}  // namespace limpid::detail
