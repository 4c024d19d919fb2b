#pragma once

#include <limpid/core/window.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace limpid::detail {

/// What something that falls leaves on a picture while the shutter is open: it moves along a line.
struct Stroke {
  float y = 0, x = 0;    ///< the middle of its way, pixels of the whole picture
  float dy = 0, dx = 0;  ///< from there to the end of its way
  float radius = 1;      ///< half of its width, pixels
  float strength = 1;    ///< of its light, or how much of the scene it hides

  float half_way() const { return std::sqrt(dy * dy + dx * dx); }
};

/// Calls visit(index, along, across) for the pixels of a window that lie within `reach` pixels of a
/// stroke's way or so: `index` in the window, and where the pixel's middle lies from the stroke's,
/// in pixels along its way and across it. It is the same for any window, bit by bit.
template <class Visit>
void each_pixel_near(const Stroke& stroke, float reach, const Window& window, Visit visit) {
  const auto half = stroke.half_way();
  const auto along_y = half > 0 ? stroke.dy / half : 1.0f;
  const auto along_x = half > 0 ? stroke.dx / half : 0.0f;
  const auto first = [](float from, std::int64_t least) {
    return std::max(least, static_cast<std::int64_t>(std::floor(from)));
  };
  const auto last = [](float to, std::int64_t most) {
    return std::min(most, static_cast<std::int64_t>(std::floor(to)) + 1);
  };
  const auto tall = std::abs(stroke.dy) + reach;
  const auto wide = std::abs(stroke.dx) + reach;
  const auto bottom = last(stroke.y + tall, window.bottom());
  for (auto y = first(stroke.y - tall, window.top); y < bottom; ++y) {
    const auto dy = static_cast<float>(y) + 0.5f - stroke.y;
    auto left = -wide;
    auto right = wide;
    if (std::abs(along_y) > 0.25f) {  // only the part of the row that the way crosses
      const auto middle = dy * along_x / along_y;
      const auto part = reach / std::abs(along_y);
      left = std::max(left, middle - part);
      right = std::min(right, middle + part);
    }
    const auto end = last(stroke.x + right, window.right());
    for (auto x = first(stroke.x + left, window.left); x < end; ++x) {
      const auto dx = static_cast<float>(x) + 0.5f - stroke.x;
      visit((y - window.top) * window.width + x - window.left, dy * along_y + dx * along_x,
            dy * along_x - dx * along_y);
    }
  }
}

}  // namespace limpid::detail
