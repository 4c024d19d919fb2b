#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace limpid::detail {

/// A Gaussian of so many taps, symmetric about their middle; their sum is 1.
inline std::vector<double> gaussian_taps(std::size_t length, double sigma) {
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
