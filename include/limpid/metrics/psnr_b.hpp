#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/metrics/channels.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace limpid {

namespace detail {

/// By how much neighbours differ more across the borders of 8 x 8 blocks than elsewhere: the
/// blocking effect factor of one channel (H, W), double.
inline double blocking_effect(const at::Tensor& plane) {
  constexpr std::int64_t block = 8;
  double across = 0, elsewhere = 0, across_count = 0, pairs = 0;
  for (const std::int64_t dim : {0, 1}) {
    const auto side = plane.size(dim), other = plane.size(1 - dim);
    const auto steps =
        (plane.narrow(dim, 1, side - 1) - plane.narrow(dim, 0, side - 1)).square().sum(1 - dim);
    for (std::int64_t i = 0; i < side - 1; ++i) {
      const auto step = steps[i].item<double>();
      (i % block == block - 1 ? across : elsewhere) += step;
    }
    across_count += static_cast<double>(other * (side / block - 1));
    pairs += static_cast<double>(other * (side - 1));
  }
  const auto excess = across / across_count - elsewhere / (pairs - across_count);
  if (excess <= 0) return 0;
  const auto least = static_cast<double>(std::min(plane.size(0), plane.size(1)));
  return std::log2(static_cast<double>(block)) / std::log2(least) * excess;
}

}  // namespace detail

/// PSNR that counts the blocks of JPEG as an error: 10 log10(255^2 / (mean squared error + BEF)),
/// in dB, after rounding both pictures to 8 bits.
///
/// BEF, the blocking effect factor, is of the restored picture alone: the mean squared step between
/// neighbours across the borders of 8 x 8 blocks (columns 7 and 8, 15 and 16, ...) less that
/// elsewhere, times log2(8) / log2(the smaller side); 0 where borders are no rougher. Mean over the
/// channels of RGB, in dB, or on a luma.
/// Source: Yim and Bovik, "Quality Assessment of Deblocked Images", IEEE TIP 2011. Differs: counts
/// of border pixels are those of the paper, W (H / 8 - 1), also where a side is no multiple of 8,
/// as BasicSR's and SwinIR's programs do.
template <MetricChannels Channels = MetricChannels::rgb>
requires(Channels == MetricChannels::rgb || Channels == MetricChannels::y) class PSNRB {
 public:
  static constexpr bool is_rgb = Channels == MetricChannels::rgb;
  static constexpr std::string_view name = is_rgb ? "psnr_b" : "psnr_b_y";
  static constexpr std::string_view label = is_rgb ? "PSNR-B" : "PSNR-B Y";
  static constexpr std::string_view unit = "dB";
  static constexpr bool higher_is_better = true;
  const std::string protocol =
      "dB, peak 255, mean squared error and blocking effect factor (8 x 8 blocks from the top "
      "left, "
      "of the restored picture) on " +
      std::string{detail::description(Channels)} + (is_rgb ? ", mean over the channels" : "") +
      ", both pictures rounded to 8 bits";

  /// @param restored  (3, H, W) or (1, 3, H, W), sides of at least 16, values in [0, 1].
  /// @param target    of the same height and width.
  /// @return dB; +infinity for a restored picture that equals its target and has no blocks.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const auto a = detail::metric_channels("PSNRB", restored, Channels, 16);
    const auto b = detail::metric_channels("PSNRB", target, Channels, 16);
    detail::check_same_shape("PSNRB", a, b);
    double sum = 0;
    for (std::int64_t c = 0; c < a.size(0); ++c) {
      const auto error =
          (a[c] - b[c]).square().mean().template item<double>() + detail::blocking_effect(a[c]);
      if (error == 0) return std::numeric_limits<double>::infinity();
      sum += 10 * std::log10(255.0 * 255.0 / error);
    }
    return sum / static_cast<double>(a.size(0));
  }
};

static_assert(Metric<PSNRB<>> && Metric<PSNRB<MetricChannels::y>>);

}  // namespace limpid
