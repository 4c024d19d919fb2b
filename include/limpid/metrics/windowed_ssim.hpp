#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/gaussian_taps.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limpid::detail {

inline constexpr double kSSIMC1 = (0.01 * 255) * (0.01 * 255);  ///< K1 0.01, peak 255
inline constexpr double kSSIMC2 = (0.03 * 255) * (0.03 * 255);  ///< K2 0.03, peak 255

/// Means of two pictures (C, H, W), double, in every window that lies inside.
///
/// The window is the outer product of taps down the columns and taps along the rows; the sum of
/// either is 1.
class WindowMeans {
 public:
  WindowMeans(const at::Tensor& a, const at::Tensor& b, std::vector<double> down,
              std::vector<double> along)
      : x_(a.contiguous()),
        y_(b.contiguous()),
        down_(std::move(down)),
        along_(std::move(along)),
        sums_(4 * static_cast<std::size_t>(a.size(2))) {}

  std::int64_t channels() const { return x_.size(0); }
  std::int64_t rows() const { return x_.size(1) - static_cast<std::int64_t>(down_.size()) + 1; }
  std::int64_t columns() const { return x_.size(2) - static_cast<std::int64_t>(along_.size()) + 1; }

  /// The means of one row of windows, `columns()` of each: x, y, x^2 + y^2, x y.
  void row(std::int64_t channel, std::int64_t row, std::vector<double>& means);

 private:
  at::Tensor x_, y_;
  std::vector<double> down_, along_, sums_;
};

/// What one row of windows adds up to.
struct SSIMSums {
  double similarity = 0;
  double contrast = 0;  ///< the contrast-structure term alone
};

/// @param means       x, y, x^2 + y^2, x y of so many windows, one after another.
/// @param covariance  what variances and covariances are multiplied by: 1 for the population's,
///                    n / (n - 1) for a sample of n.
LIMPID_INLINE SSIMSums ssim_sums(const std::vector<double>& means, double covariance);

/// Mean structural similarity, and the mean of its contrast-structure term, of each channel of two
/// pictures (C, H, W), double, values 0..255, over every window that lies inside.
LIMPID_INLINE std::vector<SSIMSums> channel_ssim(WindowMeans windows, double covariance);

/// Mean structural similarity over every window that lies inside, and over the channels.
///
/// @param taps  the window is the outer product of these with themselves; their sum is 1.
LIMPID_INLINE double windowed_ssim(const at::Tensor& a, const at::Tensor& b,
                                   const std::vector<double>& taps, double covariance);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void WindowMeans::row(std::int64_t channel, std::int64_t row,
                                    std::vector<double>& means) {
  // One row at a time, down the columns and then along the row, stays in the cache.
  const auto width = x_.size(2);
  const auto w = static_cast<std::size_t>(width);
  const auto first = (channel * x_.size(1) + row) * width;
  sums_.assign(4 * w, 0.0);
  for (std::size_t k = 0; k < down_.size(); ++k) {
    const auto tap = down_[k];
    const double* p = x_.data_ptr<double>() + first + static_cast<std::int64_t>(k) * width;
    const double* q = y_.data_ptr<double>() + first + static_cast<std::int64_t>(k) * width;
    double* sums = sums_.data();
    for (std::size_t i = 0; i < w; ++i) {
      sums[i] += tap * p[i];
      sums[w + i] += tap * q[i];
      sums[2 * w + i] += tap * (p[i] * p[i] + q[i] * q[i]);
      sums[3 * w + i] += tap * (p[i] * q[i]);
    }
  }
  const auto n = static_cast<std::size_t>(columns());
  means.assign(4 * n, 0.0);
  for (std::size_t map = 0; map < 4; ++map) {
    double* mean = means.data() + map * n;
    for (std::size_t k = 0; k < along_.size(); ++k) {
      const double* source = sums_.data() + map * w + k;
      for (std::size_t i = 0; i < n; ++i) mean[i] += along_[k] * source[i];
    }
  }
}

LIMPID_INLINE SSIMSums ssim_sums(const std::vector<double>& means, double covariance) {
  const auto n = means.size() / 4;
  SSIMSums sums;
  for (std::size_t i = 0; i < n; ++i) {
    const auto x = means[i], y = means[n + i];
    const auto squares = x * x + y * y, product = x * y;
    const auto variances = covariance * (means[2 * n + i] - squares);
    const auto shared = covariance * (means[3 * n + i] - product);
    const auto contrast = (2 * shared + kSSIMC2) / (variances + kSSIMC2);
    sums.similarity += (2 * product + kSSIMC1) / (squares + kSSIMC1) * contrast;
    sums.contrast += contrast;
  }
  return sums;
}

LIMPID_INLINE std::vector<SSIMSums> channel_ssim(WindowMeans windows, double covariance) {
  std::vector<SSIMSums> channels(static_cast<std::size_t>(windows.channels()));
  const auto count = static_cast<double>(windows.rows() * windows.columns());
  std::vector<double> means;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    for (std::int64_t row = 0; row < windows.rows(); ++row) {
      windows.row(static_cast<std::int64_t>(c), row, means);
      const auto sums = ssim_sums(means, covariance);
      channels[c].similarity += sums.similarity / count;
      channels[c].contrast += sums.contrast / count;
    }
  }
  return channels;
}

LIMPID_INLINE double windowed_ssim(const at::Tensor& a, const at::Tensor& b,
                                   const std::vector<double>& taps, double covariance) {
  double sum = 0;
  const auto channels = channel_ssim(WindowMeans{a, b, taps, taps}, covariance);
  for (const auto& channel : channels) sum += channel.similarity;
  return sum / static_cast<double>(channels.size());
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
