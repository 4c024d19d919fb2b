#pragma once

#include <limpid/metrics/asymmetric_gaussian.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/replication_pad2d.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limpid::detail {

inline constexpr std::int64_t kNIQEBlock = 96;  ///< pixels at the first scale, half at the second

/// A picture (H, W) of half the height and width, both even: MATLAB's `imresize(picture, 0.5)`,
/// bicubic (Keys, a = -0.5) stretched to eight taps against aliasing, borders mirrored.
inline at::Tensor half_size(const at::Tensor& picture) {
  constexpr auto keys = [](double x) {
    return x <= 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
  };
  std::array<double, 8> taps{};
  double sum = 0;
  for (int i = 0; i < 8; ++i) {
    const auto distance = i < 4 ? 3.5 - i : i - 3.5;
    sum += taps[static_cast<std::size_t>(i)] = keys(distance / 2);
  }
  const auto half_rows = [&](const at::Tensor& from) {  // (rows, columns) -> (rows / 2, columns)
    const auto source = from.contiguous();
    const auto rows = source.size(0), columns = source.size(1);
    auto result = at::empty({rows / 2, columns}, at::kDouble).zero_();
    for (std::int64_t row = 0; row < rows / 2; ++row) {
      auto* out = result.data_ptr<double>() + row * columns;
      for (std::int64_t k = 0; k < 8; ++k) {
        auto from_row = 2 * row - 3 + k;
        const auto period = 2 * rows;
        from_row = ((from_row % period) + period) % period;
        if (from_row >= rows) from_row = period - 1 - from_row;
        const auto* in = source.data_ptr<double>() + from_row * columns;
        const auto tap = taps[static_cast<std::size_t>(k)] / sum;
        for (std::int64_t i = 0; i < columns; ++i) out[i] += tap * in[i];
      }
    }
    return result;
  };
  return half_rows(half_rows(picture).t()).t().contiguous();
}

/// A picture's values less their local mean over their local deviation, and that deviation.
struct NormalisedPicture {
  at::Tensor values;  ///< (picture - mean) / (deviation + 1)
  at::Tensor deviation;
};

/// Local means by a square window of odd side whose values sum to 1, borders replicated.
///
/// Where all of a window is one value, rounding decides the sign of what should be 0; such values
/// are set to 0, so that results do not depend on the order of additions.
inline NormalisedPicture normalised(const at::Tensor& picture, const at::Tensor& window) {
  const auto side = window.size(0), reach = side / 2;
  const auto height = picture.size(0), width = picture.size(1);
  const auto padded =
      at::replication_pad2d(picture.unsqueeze(0), {reach, reach, reach, reach})[0].contiguous();
  const auto weights = window.contiguous();
  NormalisedPicture result{at::empty({height, width}, at::kDouble),
                           at::empty({height, width}, at::kDouble)};
  const auto w = static_cast<std::size_t>(width);
  std::vector<double> sums(2 * w);
  for (std::int64_t row = 0; row < height; ++row) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::int64_t y = 0; y < side; ++y) {
      for (std::int64_t x = 0; x < side; ++x) {
        const auto weight = weights.data_ptr<double>()[y * side + x];
        const auto* in = padded.data_ptr<double>() + (row + y) * padded.size(1) + x;
        for (std::size_t i = 0; i < w; ++i) {
          sums[i] += weight * in[i];
          sums[w + i] += weight * (in[i] * in[i]);
        }
      }
    }
    const auto* in = padded.data_ptr<double>() + (row + reach) * padded.size(1) + reach;
    auto* values = result.values.data_ptr<double>() + row * width;
    auto* deviation = result.deviation.data_ptr<double>() + row * width;
    for (std::size_t i = 0; i < w; ++i) {
      deviation[i] = std::sqrt(std::abs(sums[w + i] - sums[i] * sums[i]));
      values[i] = (in[i] - sums[i]) / (deviation[i] + 1);
      if (std::abs(values[i]) < 1e-10) values[i] = 0;
    }
  }
  return result;
}

/// 18 features of a block (side, side) of normalised values, written to `out`: shape and mean scale
/// of the values; shape, mean and both scales of products with the right, lower, lower right and
/// lower left neighbour, round the block's edges.
///
/// @return false where a distribution has nothing on one side: the block is flat.
inline bool block_features(const double* values, std::int64_t stride, std::int64_t side,
                           double* out) {
  const auto n = static_cast<std::size_t>(side);
  std::vector<double> fitted(n * n);
  const auto fit_products = [&](std::size_t down, std::size_t right) {
    for (std::size_t y = 0; y < n; ++y) {
      const auto* row = values + static_cast<std::int64_t>(y) * stride;
      const auto* other = values + static_cast<std::int64_t>((y + n - down) % n) * stride;
      for (std::size_t x = 0; x < n; ++x) fitted[y * n + x] = row[x] * other[(x + n - right) % n];
    }
    return fit_asymmetric_gaussian(fitted);
  };
  for (std::size_t y = 0; y < n; ++y) {
    const auto* row = values + static_cast<std::int64_t>(y) * stride;
    std::copy(row, row + n, fitted.begin() + static_cast<std::ptrdiff_t>(y * n));
  }
  const auto whole = fit_asymmetric_gaussian(fitted);
  if (!whole) return false;
  *out++ = whole->shape;
  *out++ = (whole->left + whole->right) / 2;
  const std::pair<std::size_t, std::size_t> shifts[] = {{0, 1}, {1, 0}, {1, 1}, {1, n - 1}};
  for (const auto& [down, right] : shifts) {
    const auto products = fit_products(down, right);
    if (!products) return false;
    for (const auto value : {products->shape, products->mean(), products->left, products->right}) {
      *out++ = value;
    }
  }
  return true;
}

/// What NIQE knows of one picture: a row for each block of 96 x 96 pixels from the top left.
struct NIQEFeatures {
  at::Tensor values;              ///< (blocks that are not flat, 36), double
  std::vector<double> sharpness;  ///< of those blocks: the mean local deviation at the first scale
  std::int64_t blocks = 0;        ///< all of them
  std::int64_t flat = 0;          ///< those without features
};

/// @param picture  (H, W) double, 0..255, sides of at least 96; what is left of whole blocks at the
///                 right and the bottom is dropped.
/// @param window   (K, K) double, K odd, sum 1.
inline NIQEFeatures niqe_features(const at::Tensor& picture, const at::Tensor& window) {
  const auto rows = picture.size(0) / kNIQEBlock, columns = picture.size(1) / kNIQEBlock;
  const auto whole =
      picture.narrow(0, 0, rows * kNIQEBlock).narrow(1, 0, columns * kNIQEBlock).contiguous();
  const auto large = normalised(whole, window), small = normalised(half_size(whole), window);
  NIQEFeatures result;
  result.blocks = rows * columns;
  std::vector<double> features;
  std::array<double, 36> block{};
  const auto of = [&](const NormalisedPicture& scale, std::int64_t row, std::int64_t column,
                      std::int64_t side, double* out) {
    const auto stride = scale.values.size(1);
    const auto* first = scale.values.data_ptr<double>() + row * side * stride + column * side;
    return block_features(first, stride, side, out);
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      if (!of(large, row, column, kNIQEBlock, block.data()) ||
          !of(small, row, column, kNIQEBlock / 2, block.data() + 18)) {
        ++result.flat;
        continue;
      }
      features.insert(features.end(), block.begin(), block.end());
      result.sharpness.push_back(large.deviation.narrow(0, row * kNIQEBlock, kNIQEBlock)
                                     .narrow(1, column * kNIQEBlock, kNIQEBlock)
                                     .mean()
                                     .item<double>());
    }
  }
  const auto count = static_cast<std::int64_t>(result.sharpness.size());
  result.values = at::empty({count, 36}, at::kDouble);
  std::copy(features.begin(), features.end(), result.values.data_ptr<double>());
  return result;
}

/// Mean (36) and sample covariance (36, 36) of rows of features, at least two.
inline std::pair<at::Tensor, at::Tensor> mean_and_covariance(const at::Tensor& rows) {
  const auto mean = rows.mean(0);
  const auto centred = rows - mean;
  return {mean, centred.t().matmul(centred) / static_cast<double>(rows.size(0) - 1)};
}

}  // namespace limpid::detail
