#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/metrics/channels.hpp>
#include <limpid/metrics/windowed_ssim.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool2d.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limpid {

/// Multi-scale structural similarity, per channel.
///
/// Five scales with the paper's weights, each half as large as the one before (means of 2 x 2
/// pixels; an odd last row or column is dropped). Contrast and structure of the first four scales,
/// all of SSIM at the last; windows, constants and rounding as in `GaussianSSIM`. A mean below 0
/// counts as 0. The product is taken per channel, then the mean over channels.
/// Source: Wang, Simoncelli, Bovik, "Multi-scale Structural Similarity for Image Quality
/// Assessment", Asilomar 2003.
/// Differs: the paper filters before it halves, and judges grey pictures. Other programs pad where
/// a side is odd: up to 1.5e-3 away. Sides of 161 to 175 pixels leave 10 at the last scale; the
/// window has 10 taps there.
template <MetricChannels Channels = MetricChannels::rgb>
class MSSSIM {
 public:
  static constexpr std::string_view name = Channels == MetricChannels::rgb ? "ms_ssim"
                                           : Channels == MetricChannels::y ? "ms_ssim_y"
                                           : Channels == MetricChannels::y_rounded
                                               ? "ms_ssim_y_rounded"
                                               : "ms_ssim_gray";
  static constexpr std::string_view label = Channels == MetricChannels::rgb ? "MS-SSIM"
                                            : Channels == MetricChannels::y ? "MS-SSIM Y"
                                            : Channels == MetricChannels::y_rounded
                                                ? "MS-SSIM Y rounded"
                                                : "MS-SSIM grey";
  static constexpr bool higher_is_better = true;
  static constexpr std::int64_t min_side = 161;  ///< pixels
  const std::string protocol =
      "five scales, weights .0448 .2856 .3001 .2363 .1333, halved by means of 2 x 2 pixels (an odd "
      "last row or column is dropped), 11 x 11 Gaussian window, sigma 1.5 (10 taps at the last "
      "scale of a side below 176), population covariance, windows inside the picture only, "
      "K1 0.01, K2 0.03, peak 255, means below 0 count as 0, " +
      (Channels == MetricChannels::rgb ? std::string{"mean over the channels of RGB"}
                                       : "on " + std::string{detail::description(Channels)}) +
      ", both pictures rounded to 8 bits";

  /// @param restored  (3, H, W) or (1, 3, H, W), sides of at least 161, values in [0, 1].
  /// @param target    of the same height and width.
  /// @return 0 to 1; 1 for identical pictures.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    auto a = detail::metric_channels("MSSSIM", restored, Channels, min_side);
    auto b = detail::metric_channels("MSSSIM", target, Channels, min_side);
    detail::check_same_shape("MSSSIM", a, b);
    std::vector<double> products(static_cast<std::size_t>(a.size(0)), 1.0);
    for (std::size_t scale = 0; scale < kWeights.size(); ++scale) {
      if (scale > 0) {
        a = at::avg_pool2d(a, 2);
        b = at::avg_pool2d(b, 2);
      }
      const auto channels =
          detail::channel_ssim(detail::WindowMeans{a, b, taps(a.size(1)), taps(a.size(2))}, 1.0);
      for (std::size_t c = 0; c < products.size(); ++c) {
        const auto mean =
            scale + 1 < kWeights.size() ? channels[c].contrast : channels[c].similarity;
        products[c] *= std::pow(mean < 0 ? 0.0 : mean, kWeights[scale]);
      }
    }
    double sum = 0;
    for (const auto product : products) sum += product;
    return sum / static_cast<double>(products.size());
  }

 private:
  static constexpr std::array<double, 5> kWeights{0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

  static std::vector<double> taps(std::int64_t side) {
    return detail::gaussian_taps(static_cast<std::size_t>(std::min<std::int64_t>(11, side)), 1.5);
  }
};

/// On grey: `MSSSIMGray{}`.
using MSSSIMGray = MSSSIM<MetricChannels::gray>;

static_assert(Metric<MSSSIM<>> && Metric<MSSSIMGray>);

}  // namespace limpid
