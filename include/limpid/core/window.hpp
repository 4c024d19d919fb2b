#pragma once

#include <limpid/core/compiled.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <algorithm>
#endif

namespace limpid {

/// A rectangle of pixels of a picture.
struct Window {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  /// All of a picture.
  static Window whole(std::int64_t height, std::int64_t width) { return {0, 0, height, width}; }

  std::int64_t bottom() const { return top + height; }  ///< the first row below it
  std::int64_t right() const { return left + width; }   ///< the first column beside it

  /// Whether it holds a pixel and none outside of a picture of `rows` x `columns`.
  bool lies_within(std::int64_t rows, std::int64_t columns) const;

  /// The window `part` of this window, as a window of the picture.
  Window inner(const Window& part) const;

  /// This window of the picture, as a window of `part` of it.
  Window seen_from(const Window& part) const;

  /// The window with `margin` more pixels on each side, and at least `least` a side, as far as the
  /// picture of `rows` x `columns` goes.
  Window grown(std::int64_t margin, std::int64_t least, std::int64_t rows,
               std::int64_t columns) const;

  friend bool operator==(const Window&, const Window&) = default;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE bool Window::lies_within(std::int64_t rows, std::int64_t columns) const {
  return top >= 0 && left >= 0 && height >= 1 && width >= 1 && height <= rows && width <= columns &&
         top <= rows - height && left <= columns - width;
}

LIMPID_INLINE Window Window::inner(const Window& part) const {
  return {top + part.top, left + part.left, part.height, part.width};
}

LIMPID_INLINE Window Window::seen_from(const Window& part) const {
  return {top - part.top, left - part.left, height, width};
}

LIMPID_INLINE Window Window::grown(std::int64_t margin, std::int64_t least, std::int64_t rows,
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

}  // namespace limpid

#endif  // LIMPID_BODIES
