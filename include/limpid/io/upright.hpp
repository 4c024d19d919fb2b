#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>

namespace limpid::detail {

/// Turns (H, W, C) of `Sample` upright by an EXIF orientation: 2 ... 4 mirror or turn by 180
/// degrees, 5 ... 8 exchange the sides.
template <class Sample>
at::Tensor turned_upright(const at::Tensor& pixels, int orientation) {
  if (orientation == 1) return pixels;
  const auto height = pixels.size(0);
  const auto width = pixels.size(1);
  const auto channels = pixels.size(2);
  const bool exchanged = orientation >= 5;
  auto upright = at::empty({exchanged ? width : height, exchanged ? height : width, channels},
                           pixels.scalar_type());
  const auto* in = pixels.data_ptr<Sample>();
  auto* out = upright.data_ptr<Sample>();
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  for (std::int64_t y = 0; y < upright.size(0); ++y) {
    for (std::int64_t x = 0; x < upright.size(1); ++x, out += channels) {
      auto row = exchanged ? x : y;
      auto column = exchanged ? y : x;
      if (from_bottom) row = height - 1 - row;
      if (from_right) column = width - 1 - column;
      std::copy_n(in + (row * width + column) * channels, channels, out);
    }
  }
  return upright;
}

}  // namespace limpid::detail
