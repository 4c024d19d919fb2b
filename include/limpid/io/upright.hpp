#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace limpid::detail {

/// What an EXIF orientation does to a picture as it is stored: 2 ... 4 mirror or turn by 180
/// degrees, 5 ... 8 exchange the sides.
struct UprightTurn {
  explicit UprightTurn(int orientation)
      : exchanged(orientation >= 5),
        from_bottom(orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7),
        from_right(orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) {}

  bool exchanged, from_bottom, from_right;
};

/// Turns (H, W, C) of `Sample` upright by an EXIF orientation.
template <class Sample>
at::Tensor turned_upright(const at::Tensor& pixels, int orientation) {
  if (orientation == 1) return pixels;
  const auto height = pixels.size(0);
  const auto width = pixels.size(1);
  const auto channels = pixels.size(2);
  const UprightTurn turn{orientation};
  auto upright =
      at::empty({turn.exchanged ? width : height, turn.exchanged ? height : width, channels},
                pixels.scalar_type());
  const auto* in = pixels.data_ptr<Sample>();
  auto* out = upright.data_ptr<Sample>();
  for (std::int64_t y = 0; y < upright.size(0); ++y) {
    for (std::int64_t x = 0; x < upright.size(1); ++x, out += channels) {
      auto row = turn.exchanged ? x : y;
      auto column = turn.exchanged ? y : x;
      if (turn.from_bottom) row = height - 1 - row;
      if (turn.from_right) column = width - 1 - column;
      std::copy_n(in + (row * width + column) * channels, channels, out);
    }
  }
  return upright;
}

/// Where a window of the upright picture lies in the picture as it is stored, `height` x `width`.
LIMPID_INLINE Window stored_window(Window upright, int orientation, std::int64_t height,
                                   std::int64_t width);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE Window stored_window(Window upright, int orientation, std::int64_t height,
                                   std::int64_t width) {
  const UprightTurn turn{orientation};
  if (turn.exchanged) {
    std::swap(upright.top, upright.left);
    std::swap(upright.height, upright.width);
  }
  if (turn.from_bottom) upright.top = height - upright.top - upright.height;
  if (turn.from_right) upright.left = width - upright.left - upright.width;
  return upright;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
