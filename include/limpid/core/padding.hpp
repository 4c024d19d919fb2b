#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/ranges.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/reflection_pad2d.h>
#include <ATen/ops/replication_pad2d.h>
#include <c10/core/MemoryFormat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// What stands beyond the right and bottom border of a padded image.
enum class PaddingMode {
  reflect,  ///< the image mirrored; replicated where it is too small to be mirrored
  zeros,    ///< zeros of the network's own range: grey in [-1, 1], black in [0, 1]
};

/// The image sizes a network takes: sides that are multiples of `multiple`, and at least
/// `min_side`.
struct ImagePadding {
  std::int64_t multiple = 1;
  std::int64_t min_side = 1;
  PaddingMode mode = PaddingMode::reflect;

  /// The smallest side that the network takes and that holds `side` pixels.
  constexpr std::int64_t padded(std::int64_t side) const {
    const auto least = std::max(side, min_side);
    return (least + multiple - 1) / multiple * multiple;
  }
};

/// How a decoder's output becomes the restored image.
enum class GlobalSkip {
  clamped,  ///< degraded + decoded, clamped to the range of values: the thesis, sec. 3.1
  plain,    ///< degraded + decoded: NAFNet, Restormer
  none,     ///< decoded alone
};

namespace detail {

/// Mirrors `image` at its borders: left, right, top, bottom. LibTorch's operator, but for pictures
/// that lie pixel by pixel, which it would lay out anew.
LIMPID_INLINE at::Tensor reflection_pad(const at::Tensor& image,
                                        const std::array<std::int64_t, 4>& sides);

}  // namespace detail

/// Pads (N, C, H, W) on the right and at the bottom to a size that `padding` takes.
/// Returns the image itself where nothing is to do.
LIMPID_INLINE at::Tensor pad_image(const at::Tensor& image, const ImagePadding& padding);

/// The first `height` rows and `width` columns of (N, C, H, W): undoes `pad_image`.
LIMPID_INLINE at::Tensor crop_image(const at::Tensor& image, std::int64_t height,
                                    std::int64_t width);

/// Adds the degraded image to a decoder's output as `skip` says.
/// @param range  of the values of both, to which `GlobalSkip::clamped` clamps
LIMPID_INLINE at::Tensor apply_skip(GlobalSkip skip, const at::Tensor& degraded,
                                    const at::Tensor& decoded,
                                    ValueRange range = ValueRange::signed_range);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor reflection_pad(const at::Tensor& image,
                                        const std::array<std::int64_t, 4>& sides) {
  const auto last = at::MemoryFormat::ChannelsLast;
  if (image.dim() != 4 || image.suggest_memory_format() != last) {
    return at::reflection_pad2d(image, sides);
  }
  const auto mirrored = [](const at::Tensor& map, std::int64_t dimension, std::int64_t before,
                           std::int64_t after) {
    const auto size = map.size(dimension);
    TORCH_CHECK_VALUE(before < size && after < size, "reflection_pad: expected sides of ", before,
                      " and ", after, " to be smaller than the image's ", size);
    std::vector<at::Tensor> parts;
    if (before > 0) parts.push_back(map.narrow(dimension, 1, before).flip({dimension}));
    parts.push_back(map);
    if (after > 0)
      parts.push_back(map.narrow(dimension, size - 1 - after, after).flip({dimension}));
    return parts.size() == 1 ? map : at::cat(parts, dimension);
  };
  const auto wide = mirrored(image, 3, sides[0], sides[1]);
  return mirrored(wide, 2, sides[2], sides[3]).contiguous(last);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor pad_image(const at::Tensor& image, const ImagePadding& padding) {
  auto padded = image;
  while (true) {
    const auto bottom = padding.padded(image.size(2)) - padded.size(2);
    const auto right = padding.padded(image.size(3)) - padded.size(3);
    if (bottom == 0 && right == 0) return padded;
    if (padding.mode == PaddingMode::zeros) {
      return at::constant_pad_nd(padded, {0, right, 0, bottom}, 0);
    }
    // A mirror holds at most side - 1 new pixels; a single row or column is replicated.
    if (padded.size(2) == 1 || padded.size(3) == 1) {
      return at::replication_pad2d(padded, {0, right, 0, bottom});
    }
    padded = detail::reflection_pad(
        padded, {0, std::min(right, padded.size(3) - 1), 0, std::min(bottom, padded.size(2) - 1)});
  }
}

LIMPID_INLINE at::Tensor crop_image(const at::Tensor& image, std::int64_t height,
                                    std::int64_t width) {
  if (image.size(2) == height && image.size(3) == width) return image;
  return image.narrow(2, 0, height).narrow(3, 0, width);
}

LIMPID_INLINE at::Tensor apply_skip(GlobalSkip skip, const at::Tensor& degraded,
                                    const at::Tensor& decoded, ValueRange range) {
  switch (skip) {
    case GlobalSkip::clamped:
      return (degraded + decoded).clamp(range == ValueRange::unit_range ? 0 : -1, 1);
    case GlobalSkip::plain:
      return degraded + decoded;
    case GlobalSkip::none:
      return decoded;
  }
  return decoded;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
