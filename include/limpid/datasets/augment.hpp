#pragma once

#include <limpid/core/random.hpp>
#include <limpid/io/image.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace limpid::detail {

/// Which part of a picture is taken and how it is turned.
struct CropPlan {
  std::int64_t top = 0;
  std::int64_t left = 0;
  bool flip = false;               ///< left and right exchanged, before the turn
  std::int64_t quarter_turns = 0;  ///< anticlockwise
};

/// The plan for one sample. Every number is drawn whether it is used or not, so that switching one
/// option leaves the others' choices alone.
inline CropPlan plan_crop(std::int64_t height, std::int64_t width, std::int64_t crop, bool flip,
                          bool rotate, Random& random) {
  const auto room = [&](std::int64_t side) { return std::max<std::int64_t>(0, side - crop) + 1; };
  CropPlan plan;
  plan.top = random.below(room(height));
  plan.left = random.below(room(width));
  plan.flip = random.chance(0.5) && flip;
  const auto quarter_turns = random.below(4);
  plan.quarter_turns = rotate ? quarter_turns : 0;
  return plan;
}

/// The rows (or columns) that a crop reads: `crop` in a row from `start` on, or, where the picture
/// is smaller, all of them in the middle, mirrored at both borders.
inline std::vector<std::int64_t> crop_lines(std::int64_t side, std::int64_t start,
                                            std::int64_t crop) {
  std::vector<std::int64_t> lines(static_cast<std::size_t>(crop));
  const auto first = side >= crop ? start : -((crop - side) / 2);
  const auto period = std::max<std::int64_t>(1, 2 * (side - 1));
  for (std::int64_t i = 0; i < crop; ++i) {
    auto line = (first + i) % period;
    if (line < 0) line += period;
    lines[static_cast<std::size_t>(i)] = line < side ? line : period - line;
  }
  return lines;
}

/// A byte as a signed value: 0 -> -1, 255 -> 1.
inline const std::array<float, 256>& signed_of_byte() {
  static const auto table = [] {
    std::array<float, 256> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(i) / 255.0f * 2.0f - 1.0f;
    }
    return values;
  }();
  return table;
}

/// Writes a turned crop of `image` to `out`, (3, crop, crop) in [-1, 1].
inline void write_crop(const Image& image, const CropPlan& plan, std::int64_t crop, float* out) {
  const auto rows = crop_lines(image.height(), plan.top, crop);
  const auto columns = crop_lines(image.width(), plan.left, crop);
  const auto& value = signed_of_byte();
  const auto last = crop - 1;
  const auto place = [&](std::int64_t y, std::int64_t x) {
    if (plan.flip) x = last - x;
    switch (plan.quarter_turns) {
      case 1:
        return (last - x) * crop + y;
      case 2:
        return (last - y) * crop + last - x;
      case 3:
        return x * crop + last - y;
      default:
        return y * crop + x;
    }
  };
  const auto origin = place(0, 0);
  const auto row_step = crop > 1 ? place(1, 0) - origin : 0;
  const auto column_step = crop > 1 ? place(0, 1) - origin : 0;
  const auto plane = crop * crop;
  for (std::int64_t y = 0; y < crop; ++y) {
    const auto* row = image.data() + rows[static_cast<std::size_t>(y)] * image.width() * 3;
    auto* to = out + origin + y * row_step;
    for (std::int64_t x = 0; x < crop; ++x, to += column_step) {
      const auto* pixel = row + columns[static_cast<std::size_t>(x)] * 3;
      to[0] = value[pixel[0]];
      to[plane] = value[pixel[1]];
      to[2 * plane] = value[pixel[2]];
    }
  }
}

}  // namespace limpid::detail
