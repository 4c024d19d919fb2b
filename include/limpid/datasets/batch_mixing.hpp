#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>
#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/batch.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// What an `Augmentation` does to whole batches. The pairs of a batch change with each other, so it
// is done once they are together, on the device that they are on.

#ifdef LIMPID_BODIES
#include <limpid/degradations/batch_tensors.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#endif

namespace limpid::detail {

/// A part of a crop: `share` of its pixels, anywhere.
struct MixedPart {
  std::int64_t top, left, height, width;

  static MixedPart drawn(const at::Tensor& images, double share, Random& random);

  at::Tensor of(const at::Tensor& image) const;
};

/// What an `Augmentation` does to one batch of a stream, drawn before its pictures are there.
///
/// A process that has only some pictures of the batch makes these, and those that they are mixed
/// with, and mixes them as one that has them all.
class BatchMixing {
 public:
  /// @param count  pictures of the whole batch
  BatchMixing(const Augmentation& how, std::int64_t count, Random random);

  /// `places` of the whole batch, and behind them the places of all pictures that those at `places`
  /// are mixed with.
  std::vector<std::int64_t> with_partners(std::vector<std::int64_t> places) const;

  /// The first `count` pictures of a batch, mixed.
  /// @param places  of all its pictures, from `with_partners`
  /// @throws c10::ValueError for `cut_blur` where a target has several degraded pictures
  Batch mixed(Batch batch, const std::vector<std::int64_t>& places, std::int64_t count) const;

 private:
  Random own(std::uint64_t key) const;

  std::int64_t partner_of(std::int64_t place, std::int64_t distance) const;

  /// Where the partner's picture is; nothing where only pictures behind the own ones lack theirs.
  static std::optional<std::int64_t> row_of(const std::vector<std::int64_t>& places,
                                            std::int64_t place);

  /// Blends each pair with another of the batch, by a weight of its own, uniform in [0, 1).
  ///
  /// Source: Zhang et al., "mixup", ICLR 2018, with alpha = 1; on pairs as in Zamir et al.,
  /// "MIRNet", ECCV 2020 and its successors.
  Batch mix_up(const Batch& batch, const std::vector<std::int64_t>& places,
               std::int64_t count) const;

  /// Puts a part of another pair of the batch, degraded and target alike, in its place on each.
  ///
  /// Source: Yun et al., "CutMix", ICCV 2019, on pictures in place of labels.
  void cut_mix(Batch& batch, const std::vector<std::int64_t>& places) const;

  /// Leaves only a part of each picture degraded, or all but a part.
  ///
  /// Source: Yoo, Ahn and Sohn, "Rethinking Data Augmentation for Image Super-resolution"
  /// (CutBlur), CVPR 2020.
  void cut_blur(Batch& batch, const std::vector<std::int64_t>& places) const;

  std::int64_t count_;
  bool mixes_up_ = false, cuts_ = false, blurs_ = false;
  std::uint64_t draw_ = 0;
  std::int64_t cut_partner_ = 0, mix_partner_ = 0;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE MixedPart MixedPart::drawn(const at::Tensor& images, double share, Random& random) {
  const auto side = [&](std::int64_t whole) {
    const auto part = std::lround(std::sqrt(share) * static_cast<double>(whole));
    return std::clamp<std::int64_t>(part, 1, whole);
  };
  MixedPart part{0, 0, side(images.size(2)), side(images.size(3))};
  part.top = random.below(images.size(2) - part.height + 1);
  part.left = random.below(images.size(3) - part.width + 1);
  return part;
}

LIMPID_INLINE at::Tensor MixedPart::of(const at::Tensor& image) const {
  return image.narrow(-2, top, height).narrow(-1, left, width);
}

LIMPID_INLINE BatchMixing::BatchMixing(const Augmentation& how, std::int64_t count, Random random)
    : count_(count) {
  if (!how.mixes()) return;
  // Drawn whether it is used or not, so that one choice leaves the others alone.
  mixes_up_ = random.chance(how.mixup) && count > 1;
  cuts_ = random.chance(how.cut_mix) && count > 1;
  blurs_ = random.chance(how.cut_blur);
  draw_ = random.bits();
  if (cuts_) cut_partner_ = 1 + own(2).below(count - 1);
  if (mixes_up_) mix_partner_ = 1 + own(1).below(count - 1);
}

LIMPID_INLINE std::vector<std::int64_t> BatchMixing::with_partners(
    std::vector<std::int64_t> places) const {
  const auto add = [&](std::int64_t distance) {
    const auto before = places.size();
    for (std::size_t i = 0; i < before; ++i) {
      const auto partner = partner_of(places[i], distance);
      if (std::find(places.begin(), places.end(), partner) == places.end()) {
        places.push_back(partner);
      }
    }
  };
  if (mixes_up_) add(mix_partner_);
  if (cuts_) add(cut_partner_);
  return places;
}

LIMPID_INLINE Batch BatchMixing::mixed(Batch batch, const std::vector<std::int64_t>& places,
                                       std::int64_t count) const {
  if (blurs_) cut_blur(batch, places);
  if (cuts_) cut_mix(batch, places);
  if (mixes_up_) return mix_up(batch, places, count);
  if (batch.target.size(0) == count) return batch;
  return {batch.degraded.narrow(0, 0, count), batch.target.narrow(0, 0, count)};
}

LIMPID_INLINE Random BatchMixing::own(std::uint64_t key) const {
  return Random::stream(draw_, {key});
}

LIMPID_INLINE std::int64_t BatchMixing::partner_of(std::int64_t place,
                                                   std::int64_t distance) const {
  return (place - distance + count_) % count_;
}

LIMPID_INLINE std::optional<std::int64_t> BatchMixing::row_of(
    const std::vector<std::int64_t>& places, std::int64_t place) {
  const auto found = std::find(places.begin(), places.end(), place);
  if (found == places.end()) return std::nullopt;
  return found - places.begin();
}

LIMPID_INLINE Batch BatchMixing::mix_up(const Batch& batch, const std::vector<std::int64_t>& places,
                                        std::int64_t count) const {
  auto random = own(1);
  random.skip(1);  // the partner
  std::vector<float> of_place;
  for (std::int64_t i = 0; i < count_; ++i) {
    of_place.push_back(static_cast<float>(random.uniform()));
  }
  std::vector<float> weights;
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    weights.push_back(of_place[static_cast<std::size_t>(places[i])]);
    rows.push_back(row_of(places, partner_of(places[i], mix_partner_)).value());
  }
  const auto weight = for_each_picture(batch.target.narrow(0, 0, count), weights);
  const auto from = at::tensor(rows, at::kLong).to(batch.target.device());
  const auto mixed = [&](const at::Tensor& images) {
    return weight * images.narrow(0, 0, count) + (1 - weight) * images.index_select(0, from);
  };
  return {mixed(batch.degraded), mixed(batch.target)};
}

LIMPID_INLINE void BatchMixing::cut_mix(Batch& batch,
                                        const std::vector<std::int64_t>& places) const {
  auto random = own(2);
  random.skip(1);  // the partner
  const Batch mixed{batch.degraded.clone(), batch.target.clone()};
  for (std::int64_t place = 0; place < count_; ++place) {
    const auto part = MixedPart::drawn(batch.target, random.uniform(), random);
    const auto row = row_of(places, place);
    const auto from = row_of(places, partner_of(place, cut_partner_));
    if (!row || !from) continue;
    part.of(mixed.degraded[*row]).copy_(part.of(batch.degraded[*from]));
    part.of(mixed.target[*row]).copy_(part.of(batch.target[*from]));
  }
  batch = mixed;
}

LIMPID_INLINE void BatchMixing::cut_blur(Batch& batch,
                                         const std::vector<std::int64_t>& places) const {
  TORCH_CHECK_VALUE(batch.degraded.sizes() == batch.target.sizes(),
                    "cut-blur: expected one degraded picture for each target, got ",
                    batch.degraded.sizes(), " for ", batch.target.sizes());
  auto random = own(3);
  const auto mixed = batch.degraded.clone();
  for (std::int64_t place = 0; place < count_; ++place) {
    const auto part = MixedPart::drawn(batch.target, random.uniform(), random);
    const bool only_there = !random.chance(0.5);
    const auto row = row_of(places, place);
    if (!row) continue;
    if (only_there) mixed[*row].copy_(batch.target[*row]);
    part.of(mixed[*row]).copy_(part.of(only_there ? batch.degraded[*row] : batch.target[*row]));
  }
  batch.degraded = mixed;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
