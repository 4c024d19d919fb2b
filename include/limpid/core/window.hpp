#pragma once

#include <algorithm>
#include <cstdint>

namespace limpid {

/// A rectangle of pixels of a picture.
struct Window {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  /// All of a picture.
  static Window whole(std::int64_t height, std::int64_t width) { return {0, 0, height, width}; }

  /// The window with `margin` more pixels on each side, and at least `least` a side, as far as the
  /// picture of `rows` x `columns` goes.
  Window grown(std::int64_t margin, std::int64_t least, std::int64_t rows,
               std::int64_t columns) const {
    const auto side = [&](std::int64_t& from, std::int64_t& length, std::int64_t most) {
      const auto to = std::min(from + length + margin, most);
      from = std::max<std::int64_t>(from - margin, 0);
      length = std::clamp(least, std::min(to - from, most), most);
      from = std::min(from, most - length);
    };
    auto window = *this;
    side(window.top, window.height, rows);
    side(window.left, window.width, columns);
    return window;
  }

  friend bool operator==(const Window&, const Window&) = default;
};

}  // namespace limpid
