#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace limpid::detail {

/// Mean structural similarity of two pictures (C, H, W), double, values 0..255, over every window
/// that lies inside, and over the channels.
///
/// @param taps        the window is the outer product of these with themselves; their sum is 1.
/// @param covariance  what variances and covariances are multiplied by: 1 for the population's,
///                    n / (n - 1) for a sample of n.
inline double windowed_ssim(const at::Tensor& a, const at::Tensor& b,
                            const std::vector<double>& taps, double covariance) {
  constexpr double c1 = (0.01 * 255) * (0.01 * 255), c2 = (0.03 * 255) * (0.03 * 255);
  const auto x = a.contiguous(), y = b.contiguous();
  const auto channels = x.size(0), height = x.size(1), width = x.size(2);
  const auto length = static_cast<std::int64_t>(taps.size());
  const auto rows = height - length + 1, columns = width - length + 1;

  // Four window means per pixel: x, y, x^2 + y^2 (only the sum of the variances is used), x y.
  // One output row at a time, down the columns and then along the row, stays in the cache.
  const auto w = static_cast<std::size_t>(width);
  std::vector<double> down(4 * w), along(4 * w);
  double total = 0;
  for (std::int64_t row = 0; row < channels * rows; ++row) {
    const auto first = (row / rows * height + row % rows) * width;
    down.assign(4 * w, 0.0);
    for (std::int64_t k = 0; k < length; ++k) {
      const auto tap = taps[static_cast<std::size_t>(k)];
      const double* p = x.data_ptr<double>() + first + k * width;
      const double* q = y.data_ptr<double>() + first + k * width;
      double* sums = down.data();
      for (std::size_t i = 0; i < w; ++i) {
        sums[i] += tap * p[i];
        sums[w + i] += tap * q[i];
        sums[2 * w + i] += tap * (p[i] * p[i] + q[i] * q[i]);
        sums[3 * w + i] += tap * (p[i] * q[i]);
      }
    }
    const auto n = static_cast<std::size_t>(columns);
    along.assign(4 * w, 0.0);
    for (std::size_t map = 0; map < 4; ++map) {
      double* sums = along.data() + map * w;
      for (std::size_t k = 0; k < taps.size(); ++k) {
        const double* source = down.data() + map * w + k;
        for (std::size_t i = 0; i < n; ++i) sums[i] += taps[k] * source[i];
      }
    }
    double row_total = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto mean_x = along[i], mean_y = along[w + i];
      const auto squares = mean_x * mean_x + mean_y * mean_y, product = mean_x * mean_y;
      const auto variances = covariance * (along[2 * w + i] - squares);
      const auto shared = covariance * (along[3 * w + i] - product);
      row_total += ((2 * product + c1) * (2 * shared + c2)) / ((squares + c1) * (variances + c2));
    }
    total += row_total;
  }
  return total / static_cast<double>(channels * rows * columns);
}

}  // namespace limpid::detail
