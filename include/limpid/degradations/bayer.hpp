#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/degradations/planes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace limpid::detail {

/// Which colour the sensor sees at a place of a picture: 0 red, 1 green, 2 blue, from the pattern
///     R G
///     G B
LIMPID_INLINE std::size_t bayer_colour(std::int64_t y, std::int64_t x);

/// One value a pixel -> three, in the middle of a 5 x 5 neighbourhood; mirrored at the borders.
///
/// Source: Malvar, He and Cutler, "High-Quality Linear Interpolation for Demosaicing of
/// Bayer-Patterned Color Images", ICASSP 2004, fig. 2.
class Demosaic {
 public:
  static constexpr std::int64_t kMargin = 2;

  /// @param raw  rows of a window whose first pixel lies at (top, left) of the picture
  Demosaic(const float* raw, std::int64_t height, std::int64_t width, std::int64_t top,
           std::int64_t left)
      : raw_(raw), height_(height), width_(width), top_(top), left_(left) {}

  std::array<float, 3> at(std::int64_t y, std::int64_t x) const;

 private:
  float value(std::int64_t y, std::int64_t x) const;

  const float* raw_;
  std::int64_t height_, width_, top_, left_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::size_t bayer_colour(std::int64_t y, std::int64_t x) {
  return static_cast<std::size_t>((y & 1) + (x & 1));
}

LIMPID_INLINE std::array<float, 3> Demosaic::at(std::int64_t y, std::int64_t x) const {
  const auto own = bayer_colour(top_ + y, left_ + x);
  const auto middle = value(y, x);
  const auto beside = value(y, x - 1) + value(y, x + 1);
  const auto above = value(y - 1, x) + value(y + 1, x);
  const auto far_beside = value(y, x - 2) + value(y, x + 2);
  const auto far_above = value(y - 2, x) + value(y + 2, x);
  const auto corners =
      value(y - 1, x - 1) + value(y - 1, x + 1) + value(y + 1, x - 1) + value(y + 1, x + 1);
  std::array<float, 3> colour{};
  colour[own] = middle;
  if (own == 1) {
    const auto across = (5 * middle + 4 * beside - corners - far_beside + 0.5f * far_above) / 8;
    const auto down = (5 * middle + 4 * above - corners - far_above + 0.5f * far_beside) / 8;
    const bool red_is_beside = ((top_ + y) & 1) == 0;
    colour[0] = red_is_beside ? across : down;
    colour[2] = red_is_beside ? down : across;
  } else {
    colour[1] = (4 * middle + 2 * (beside + above) - far_beside - far_above) / 8;
    colour[2 - own] = (6 * middle + 2 * corners - 1.5f * (far_beside + far_above)) / 8;
  }
  return colour;
}

LIMPID_INLINE float Demosaic::value(std::int64_t y, std::int64_t x) const {
  return raw_[mirrored(y, height_) * width_ + mirrored(x, width_)];
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
