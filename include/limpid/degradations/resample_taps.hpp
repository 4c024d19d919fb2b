#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limpid::detail {

/// How a side of a picture is resampled.
enum class Resample { area, linear, cubic };

/// The weights of one output: it reads inputs from `first` on.
struct ResampleTap {
  std::int64_t first = 0;
  std::vector<double> weights;
};

/// Keys' cubic kernel, a = -0.5.
/// Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE TASSP 1981.
inline double cubic_weight(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/// Along one side, antialiased where it shrinks: the kernels are then as many times wider. Area is
/// the mean over what an output covers. At the borders the weights of what is there sum to 1.
inline std::vector<ResampleTap> resample_taps(std::int64_t from, std::int64_t to, Resample method) {
  const auto scale = static_cast<double>(from) / static_cast<double>(to);
  const auto stretch = std::max(scale, 1.0);
  const auto reach = method == Resample::area     ? 0.5 * scale
                     : method == Resample::linear ? stretch
                                                  : 2 * stretch;
  std::vector<ResampleTap> taps(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) {
    auto& tap = taps[static_cast<std::size_t>(i)];
    const auto centre = (static_cast<double>(i) + 0.5) * scale;
    tap.first = std::clamp<std::int64_t>(std::llround(std::floor(centre - reach)), 0, from - 1);
    const auto last =
        std::clamp<std::int64_t>(std::llround(std::ceil(centre + reach)), tap.first + 1, from);
    auto sum = 0.0;
    for (auto j = tap.first; j < last; ++j) {
      const auto at = static_cast<double>(j) + 0.5 - centre;
      const auto weight =
          method == Resample::area
              ? std::max(0.0, std::min(at + 0.5, reach) - std::max(at - 0.5, -reach))
          : method == Resample::linear ? std::max(0.0, 1 - std::abs(at) / stretch)
                                       : cubic_weight(at / stretch);
      tap.weights.push_back(weight);
      sum += weight;
    }
    for (auto& weight : tap.weights) weight /= sum;
  }
  return taps;
}

/// Down to `low` samples and back up to `size`, as one set of weights.
inline std::vector<ResampleTap> down_and_up_taps(std::int64_t size, std::int64_t low, Resample down,
                                                 Resample up) {
  const auto shrinks = resample_taps(size, low, down);
  auto taps = resample_taps(low, size, up);
  for (auto& tap : taps) {
    const auto* inner = shrinks.data() + tap.first;
    const auto& last = inner[tap.weights.size() - 1];
    ResampleTap sum{inner->first, {}};
    sum.weights.resize(static_cast<std::size_t>(last.first - inner->first) + last.weights.size());
    for (const auto outer : tap.weights) {
      for (std::size_t j = 0; j < inner->weights.size(); ++j) {
        sum.weights[static_cast<std::size_t>(inner->first - sum.first) + j] +=
            outer * inner->weights[j];
      }
      ++inner;
    }
    tap = std::move(sum);
  }
  return taps;
}

}  // namespace limpid::detail
