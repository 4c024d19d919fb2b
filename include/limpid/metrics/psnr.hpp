#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/metrics/channels.hpp>

#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace limpid {

struct PSNROptions {
  std::int64_t crop_border = 0;  ///< pixels left out along each border; papers differ, so 0
};

/// Peak signal-to-noise ratio of two pictures, in dB, after rounding both to 8 bits.
///
/// RGB: 10 log10(255^2 / mean squared error over all three channels).
/// Y: the same over 16 + (65.481 R + 128.553 G + 24.966 B) / 255, not rounded again unless the
/// channels say so; peak 255.
/// Source: ITU-R BT.601-7, sec. 2.5, for the luma.
///
/// Identical pictures score +infinity; means leave them out, `pooled` counts them.
template <MetricChannels Channels = MetricChannels::rgb>
class PSNR {
 public:
  static constexpr std::string_view name = Channels == MetricChannels::rgb ? "psnr_rgb"
                                           : Channels == MetricChannels::y ? "psnr_y"
                                           : Channels == MetricChannels::y_rounded
                                               ? "psnr_y_rounded"
                                               : "psnr_gray";
  static constexpr std::string_view label = Channels == MetricChannels::rgb ? "PSNR RGB"
                                            : Channels == MetricChannels::y ? "PSNR Y"
                                            : Channels == MetricChannels::y_rounded
                                                ? "PSNR Y rounded"
                                                : "PSNR grey";
  static constexpr std::string_view unit = "dB";
  static constexpr bool higher_is_better = true;
  const std::string protocol;

  /// @throws c10::ValueError if the border is negative.
  explicit PSNR(PSNROptions options = {}) : protocol(described(options)), options_(options) {
    detail::check_at_least("PSNR: crop_border", options.crop_border, 0);
  }

  /// @param restored  (3, H, W) or (1, 3, H, W), values in [0, 1]; others are clamped.
  /// @param target    of the same height and width.
  /// @return dB; +infinity for identical pictures.
  /// @throws c10::ValueError for other shapes, or where nothing is left inside the border.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const auto border = options_.crop_border;
    const auto channels = [&](const at::Tensor& image) {
      return inside(detail::metric_channels("PSNR", image, Channels, 2 * border + 1));
    };
    const auto a = channels(restored), b = channels(target);
    detail::check_same_shape("PSNR", a, b);
    const auto error = a.sub(b).square().mean().template item<double>();
    if (error == 0) return std::numeric_limits<double>::infinity();
    return 10 * std::log10(255.0 * 255.0 / error);
  }

  /// The PSNR of the mean squared error over many pictures: an exact one counts as no error.
  ///
  /// A program that is at least as good on each picture is at least as good by this.
  /// @param scores  in dB; those that are no numbers are left out
  /// @return dB; +infinity where all are exact, no number where there is no score
  static double pooled(const std::vector<double>& scores) {
    double errors = 0, count = 0;
    for (const auto score : scores) {
      if (std::isnan(score)) continue;
      errors += std::pow(10, -score / 10);
      ++count;
    }
    if (errors == 0 && count > 0) return std::numeric_limits<double>::infinity();
    return -10 * std::log10(errors / count);
  }

 private:
  static std::string described(const PSNROptions& options) {
    const std::string border =
        options.crop_border == 0
            ? "no border left out"
            : "a border of " + std::to_string(options.crop_border) + " pixels left out";
    return "dB, peak 255, mean squared error over " + std::string{detail::description(Channels)} +
           ", both pictures rounded to 8 bits, " + border;
  }

  at::Tensor inside(const at::Tensor& image) const {
    const auto border = options_.crop_border;
    return image.narrow(1, border, image.size(1) - 2 * border)
        .narrow(2, border, image.size(2) - 2 * border);
  }

  PSNROptions options_;
};

/// PSNR over the luma alone: `PSNRY{}`.
using PSNRY = PSNR<MetricChannels::y>;

static_assert(Metric<PSNR<>> && Metric<PSNRY>);

}  // namespace limpid
