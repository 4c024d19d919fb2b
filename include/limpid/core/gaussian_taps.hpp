#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <vector>

#ifdef LIMPID_BODIES
#include <cmath>
#endif

namespace limpid::detail {

/// A Gaussian of so many taps, symmetric about their middle; their sum is 1.
LIMPID_INLINE std::vector<double> gaussian_taps(std::size_t length, double sigma);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::vector<double> gaussian_taps(std::size_t length, double sigma) {
  std::vector<double> taps(length);
  const auto middle = (static_cast<double>(length) - 1) / 2;
  double sum = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const auto distance = static_cast<double>(i) - middle;
    sum += taps[i] = std::exp(-distance * distance / (2 * sigma * sigma));
  }
  for (auto& tap : taps) tap /= sum;
  return taps;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
