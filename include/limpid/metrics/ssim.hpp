#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/metrics/channels.hpp>
#include <limpid/metrics/windowed_ssim.hpp>

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/metrics/eight_bit.hpp>
#endif

namespace limpid {

/// Structural similarity with the Gaussian window of the paper, per channel.
///
/// 11 x 11 Gaussian, sigma 1.5, population covariance, only windows that lie inside the picture,
/// K1 = 0.01, K2 = 0.03, peak 255, mean over channels, in double, after rounding to 8 bits.
/// Source: Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error Visibility to
/// Structural Similarity", IEEE TIP 2004, sec. III-C.
/// Differs: the paper judges grey pictures; here each of R, G, B is judged, as BasicSR and mmagic
/// do, unless `Channels` name a luma. `SSIM3D` is what Nah et al., Restormer and NAFNet print.
template <MetricChannels Channels = MetricChannels::rgb>
class GaussianSSIM {
 public:
  static constexpr std::string_view name = Channels == MetricChannels::rgb ? "ssim_gaussian"
                                           : Channels == MetricChannels::y ? "ssim_gaussian_y"
                                           : Channels == MetricChannels::y_rounded
                                               ? "ssim_gaussian_y_rounded"
                                               : "ssim_gaussian_gray";
  static constexpr std::string_view label = Channels == MetricChannels::rgb ? "SSIM Gaussian"
                                            : Channels == MetricChannels::y ? "SSIM Gaussian Y"
                                            : Channels == MetricChannels::y_rounded
                                                ? "SSIM Gaussian Y rounded"
                                                : "SSIM Gaussian grey";
  static constexpr bool higher_is_better = true;
  const std::string protocol =
      "11 x 11 Gaussian window, sigma 1.5, population covariance, windows inside the picture only, "
      "K1 0.01, K2 0.03, peak 255, " +
      (Channels == MetricChannels::rgb ? std::string{"mean over the channels of RGB"}
                                       : "on " + std::string{detail::description(Channels)}) +
      ", both pictures rounded to 8 bits";

  /// @param restored  (3, H, W) or (1, 3, H, W), sides of at least 11, values in [0, 1].
  /// @param target    of the same height and width.
  /// @return at most 1, for identical pictures.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const auto a = detail::metric_channels("SSIMGaussian", restored, Channels, 11);
    const auto b = detail::metric_channels("SSIMGaussian", target, Channels, 11);
    detail::check_same_shape("SSIMGaussian", a, b);
    return detail::windowed_ssim(a, b, detail::gaussian_taps(11, 1.5), 1.0);
  }
};

/// Per channel of RGB: `SSIMGaussian{}`.
using SSIMGaussian = GaussianSSIM<>;

/// Structural similarity with a uniform window, per channel: what scikit-image's
/// `structural_similarity` computes by default, and the thesis' Table 4.2 prints.
///
/// 7 x 7 mean, sample covariance (49 / 48), only windows that lie inside the picture (3 pixels
/// cropped on each side), K1 = 0.01, K2 = 0.03, peak 255, mean over channels, in double, after
/// rounding to 8 bits.
/// Source: van der Walt et al., "scikit-image: image processing in Python", PeerJ 2014.
struct SSIMUniform {
  static constexpr std::string_view name = "ssim_uniform";
  static constexpr std::string_view label = "SSIM uniform";
  static constexpr std::string_view protocol =
      "7 x 7 uniform window, sample covariance (49/48), windows inside the picture only, K1 0.01, "
      "K2 0.03, peak 255, mean over the channels of RGB, both pictures rounded to 8 bits "
      "(scikit-image's default)";
  static constexpr bool higher_is_better = true;

  /// @param restored  (3, H, W) or (1, 3, H, W), sides of at least 7, values in [0, 1].
  /// @param target    of the same height and width.
  /// @return at most 1, for identical pictures.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(Metric<SSIMGaussian> && Metric<SSIMUniform>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE double SSIMUniform::operator()(const at::Tensor& restored,
                                             const at::Tensor& target) const {
  const auto a = detail::eight_bit("SSIMUniform", restored, 7);
  const auto b = detail::eight_bit("SSIMUniform", target, 7);
  detail::check_same_shape("SSIMUniform", a, b);
  return detail::windowed_ssim(a, b, std::vector<double>(7, 1.0 / 7), 49.0 / 48);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
