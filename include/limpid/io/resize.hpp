#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <algorithm>
#include <cmath>
#endif

namespace limpid::detail {

/// The weights of an antialiased linear resize along one side: output `i` reads `count` inputs from
/// `first` on.
struct ResizeTap {
  std::int64_t first = 0;
  std::vector<float> weights;
};

LIMPID_INLINE std::vector<ResizeTap> resize_taps(std::int64_t from, std::int64_t to);

/// Pixels of `channels` samples each, (H, W, channels), resized to `height` x `width`: linear,
/// antialiased where a side shrinks.
template <class Sample>
std::vector<float> resized_values(const Sample* values, std::int64_t from_height,
                                  std::int64_t from_width, std::int64_t channels,
                                  std::int64_t height, std::int64_t width) {
  const auto across = resize_taps(from_width, width);
  const auto down = resize_taps(from_height, height);
  std::vector<float> narrow(static_cast<std::size_t>(from_height * width * channels), 0.0f);
  for (std::int64_t y = 0; y < from_height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const auto& tap = across[static_cast<std::size_t>(x)];
      const auto* in = values + (y * from_width + tap.first) * channels;
      auto* sums = narrow.data() + (y * width + x) * channels;
      for (const auto weight : tap.weights) {
        for (std::int64_t c = 0; c < channels; ++c) sums[c] += weight * static_cast<float>(*in++);
      }
    }
  }
  const auto row_size = width * channels;
  std::vector<float> result(static_cast<std::size_t>(height * row_size), 0.0f);
  for (std::int64_t y = 0; y < height; ++y) {
    const auto& tap = down[static_cast<std::size_t>(y)];
    const auto* in = narrow.data() + tap.first * row_size;
    auto* row = result.data() + y * row_size;
    for (const auto weight : tap.weights) {
      for (std::int64_t i = 0; i < row_size; ++i) row[i] += weight * *in++;
    }
  }
  return result;
}

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::vector<ResizeTap> resize_taps(std::int64_t from, std::int64_t to) {
  const auto scale = static_cast<double>(from) / static_cast<double>(to);
  const auto reach = std::max(scale, 1.0);
  std::vector<ResizeTap> taps(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) {
    auto& tap = taps[static_cast<std::size_t>(i)];
    const auto centre = (static_cast<double>(i) + 0.5) * scale;
    tap.first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - reach)));
    const auto last = std::min(from, static_cast<std::int64_t>(std::ceil(centre + reach)));
    double sum = 0;
    std::vector<double> weights;
    for (auto j = tap.first; j < last; ++j) {
      weights.push_back(
          std::max(0.0, 1 - std::abs((static_cast<double>(j) + 0.5 - centre) / reach)));
      sum += weights.back();
    }
    for (const auto weight : weights) tap.weights.push_back(static_cast<float>(weight / sum));
  }
  return taps;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
