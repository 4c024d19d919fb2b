#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/batch.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/lazy_image.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/Device.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/copied_to.hpp>
#endif

namespace limpid {

/// A degradation that waits until a whole batch of clean crops is on the device that trains.
struct LateDegradation {
  AnyDegradation degradation;
  std::uint64_t seed = 0;
};

namespace detail {

/// Clean crops for a degradation that waits, with the pixels around them that it needs.
struct CleanBatch {
  CleanBatch() = default;

  /// @param margin  pixels around the crops, at least
  CleanBatch(std::int64_t count, std::int64_t crop, std::int64_t margin)
      : crop(crop),
        margin(std::max(margin, (kMinDegradedSide - crop + 1) / 2)),
        photos(at::empty({count, 3, side(), side()}, at::kByte)),
        places(static_cast<std::size_t>(count)),
        plans(static_cast<std::size_t>(count)) {}

  std::int64_t side() const { return crop + 2 * margin; }

  /// Takes crop `i` of a photograph, decoding what it reads.
  void take(std::size_t i, const LazyImage& photo, const CropPlan& plan);

  std::int64_t crop = 0;
  std::int64_t margin = 0;
  at::Tensor photos;  ///< (N, 3, side(), side()) bytes, not turned yet
  std::vector<CropPlace> places;
  std::vector<CropPlan> plans;

 private:
  std::vector<std::int64_t> mirrored_from(std::int64_t first, std::int64_t length) const;

  /// Makes the least line 0. @return what it was
  static std::int64_t begin_at_zero(std::vector<std::int64_t>& lines);
};

/// The crops inside their margins, each flipped and turned as its plan says: what `write_crop` does
/// with one.
LIMPID_INLINE at::Tensor turned_crops(const at::Tensor& images, const CleanBatch& clean);

/// Degrades clean crops on `device`, rounds as a file does, and turns them: the batch that a loader
/// would have made of degraded photographs.
LIMPID_INLINE Batch degraded_batch(const CleanBatch& clean, const AnyDegradation& degradation,
                                   Random random, c10::Device device);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void CleanBatch::take(std::size_t i, const LazyImage& photo, const CropPlan& plan) {
  const auto first = [&](std::int64_t length, std::int64_t start) {
    return (length >= crop ? start : -((crop - length) / 2)) - margin;
  };
  const Window window{first(photo.height(), plan.top), first(photo.width(), plan.left), side(),
                      side()};
  auto rows = mirrored_from(window.top, photo.height());
  auto columns = mirrored_from(window.left, photo.width());
  const auto top = begin_at_zero(rows), left = begin_at_zero(columns);
  const auto part = photo.part({top, left, *std::max_element(rows.begin(), rows.end()) + 1,
                                *std::max_element(columns.begin(), columns.end()) + 1});
  auto* out = photos.data_ptr<std::uint8_t>() + static_cast<std::int64_t>(i) * 3 * side() * side();
  const auto plane = side() * side();
  for (const auto row : rows) {
    const auto* line = part.data() + row * part.width() * 3;
    for (const auto column : columns) {
      const auto* pixel = line + column * 3;
      out[0] = pixel[0];
      out[plane] = pixel[1];
      out[2 * plane] = pixel[2];
      ++out;
    }
  }
  places[i] = {window, photo.height(), photo.width()};
  plans[i] = plan;
}

LIMPID_INLINE std::vector<std::int64_t> CleanBatch::mirrored_from(std::int64_t first,
                                                                  std::int64_t length) const {
  std::vector<std::int64_t> lines;
  for (std::int64_t i = 0; i < side(); ++i) lines.push_back(mirrored(first + i, length));
  return lines;
}

LIMPID_INLINE std::int64_t CleanBatch::begin_at_zero(std::vector<std::int64_t>& lines) {
  const auto least = *std::min_element(lines.begin(), lines.end());
  for (auto& line : lines) line -= least;
  return least;
}

LIMPID_INLINE at::Tensor turned_crops(const at::Tensor& images, const CleanBatch& clean) {
  const auto inner = images.narrow(2, clean.margin, clean.crop).narrow(3, clean.margin, clean.crop);
  std::vector<at::Tensor> turned;
  for (std::size_t i = 0; i < clean.plans.size(); ++i) {
    auto image = inner[static_cast<std::int64_t>(i)];
    if (clean.plans[i].flip) image = image.flip(2);
    turned.push_back(image.rot90(clean.plans[i].quarter_turns, {1, 2}));
  }
  return at::stack(turned);
}

LIMPID_INLINE Batch degraded_batch(const CleanBatch& clean, const AnyDegradation& degradation,
                                   Random random, c10::Device device) {
  const c10::NoGradGuard no_grad;
  const auto photos = copied_to(device, clean.photos).to(at::kFloat).div_(255);
  const auto degraded = eight_bit_values(degradation.batch(photos, clean.places, random));
  const auto signed_values = [&](const at::Tensor& images) {
    return turned_crops(images, clean).mul_(2).sub_(1);
  };
  return {signed_values(degraded), signed_values(photos)};
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
