#pragma once

#include <limpid/core/compiled.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

// How coarsely a JPEG rounds, by its quality. Source: ITU-T T.81 (tables of annex K.1); libjpeg's
// scale of quality.

#ifdef LIMPID_BODIES
#include <algorithm>
#include <cmath>
#endif

namespace limpid::detail {

/// How the steps of the table grow with a quality of 1 to 100, as libjpeg counts it.
LIMPID_INLINE std::int64_t jpeg_scale(int quality);

/// The steps of 64 cosines, row by row, for luma or colours.
LIMPID_INLINE std::array<float, 64> jpeg_steps(int quality, bool is_luma);

/// The quality whose steps for luma add up most nearly to `sum`: what libjpeg was told, where it
/// wrote the file.
LIMPID_INLINE int jpeg_quality_of(double sum);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::int64_t jpeg_scale(int quality) {
  return quality < 50 ? 5000 / quality : 200 - 2 * quality;
}

LIMPID_INLINE std::array<float, 64> jpeg_steps(int quality, bool is_luma) {
  constexpr std::array<int, 64> kLuma{
      16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,  //
      14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,  //
      18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,  //
      49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
  constexpr std::array<int, 64> kColours{
      17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,  //
      24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,  //
      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,  //
      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};
  std::array<float, 64> steps{};
  for (std::size_t i = 0; i < 64; ++i) {
    const auto step = ((is_luma ? kLuma : kColours)[i] * jpeg_scale(quality) + 50) / 100;
    steps[i] = static_cast<float>(std::clamp<std::int64_t>(step, 1, 255));
  }
  return steps;
}

LIMPID_INLINE int jpeg_quality_of(double sum) {
  int best = 0;
  double least = 0;
  for (int quality = 1; quality <= 100; ++quality) {
    double of_quality = 0;
    for (const auto step : jpeg_steps(quality, true)) of_quality += static_cast<double>(step);
    const auto away = std::abs(of_quality - sum);
    if (best == 0 || away <= least) best = quality, least = away;
  }
  return best;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
