#pragma once

#include <limpid/core/compiled.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

// Source: "Portable Network Graphics (PNG) Specification (Third Edition)", W3C, sec. 9.

#ifdef LIMPID_BODIES
#include <algorithm>
#endif

namespace limpid::detail {

inline constexpr int kPngFilters = 5;  ///< none, sub, up, average, Paeth

/// Which of left (a), above (b) and above left (c) lies next to a + b - c; of equals the first.
/// Without a branch, which nobody could predict: masks of ones where a difference is negative.
LIMPID_INLINE int paeth(int a, int b, int c);

/// Calls `value(filtered, left, above, above left)` for each byte of a row, whose pixels have
/// `kBytes`, and puts what it returns into its place.
template <std::size_t kBytes, class Value>
void for_each_png_byte(std::uint8_t* row, const std::uint8_t* above, std::size_t count,
                       Value value) {
  std::array<int, kBytes> left{}, corner{};
  for (std::size_t i = 0; i + kBytes <= count; i += kBytes) {
    for (std::size_t c = 0; c < kBytes; ++c) {
      const int up = above[i + c];
      left[c] = value(row[i + c], left[c], up, corner[c]) & 255;
      corner[c] = up;
      row[i + c] = static_cast<std::uint8_t>(left[c]);
    }
  }
}

/// Undoes filter 0 ... 4 of a row, whose pixels have `kBytes`, as far as its first `count` bytes.
/// @param above  the row above, without its filter; zeros above the first
template <std::size_t kBytes>
void undo_png_filter(int filter, std::uint8_t* row, const std::uint8_t* above, std::size_t count) {
  switch (filter) {
    case 1:
      return for_each_png_byte<kBytes>(row, above, count,
                                       [](int x, int a, int, int) { return x + a; });
    case 2:
      for (std::size_t i = 0; i < count; ++i) row[i] = static_cast<std::uint8_t>(row[i] + above[i]);
      return;
    case 3:
      return for_each_png_byte<kBytes>(row, above, count,
                                       [](int x, int a, int b, int) { return x + (a + b) / 2; });
    case 4:
      return for_each_png_byte<kBytes>(
          row, above, count, [](int x, int a, int b, int c) { return x + paeth(a, b, c); });
    default:
      return;
  }
}

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE int paeth(int a, int b, int c) {
  const int rise = (a - b) & (a - b) >> 31;
  const int low = b + rise;
  const int high = a - rise;
  const int bound = 3 * c - (a + b);  // from `high` on it is low, up to `low` high, between them c
  const int is_below_high = (bound - high) >> 31;
  const int is_above_low = (low - bound) >> 31;
  const int unless_high = (c & is_below_high) | (low & ~is_below_high);
  return (unless_high & is_above_low) | (high & ~is_above_low);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
