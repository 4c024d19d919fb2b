#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/metrics/windowed_ssim.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace limpid {

namespace detail {

/// A unit-range image as it is, clamped but not rounded: (3, H, W) double on the CPU, 0..255.
/// @throws c10::ValueError if `image` is no (3, H, W) or (1, 3, H, W), or a side is too small.
inline at::Tensor unrounded(std::string_view component, const at::Tensor& image,
                            std::int64_t min_side = 1) {
  const bool batched = image.dim() == 4 && image.size(0) == 1;
  TORCH_CHECK_VALUE((batched || image.dim() == 3) && image.size(-3) == 3, component,
                    ": expected image (3, H, W) or (1, 3, H, W), got ", image.sizes());
  TORCH_CHECK_VALUE(image.size(-2) >= min_side && image.size(-1) >= min_side, component,
                    ": expected sides of at least ", min_side, " pixels, got ", image.sizes());
  const auto single = (batched ? image.squeeze(0) : image).detach();
  return single.to(at::kCPU, at::kDouble).clamp(0, 1).mul(255).contiguous();
}

}  // namespace detail

/// `PSNR<>` of values that are not rounded to 8 bits: what scikit-image's `peak_signal_noise_ratio`
/// computes of floats with `data_range=1`.
///
/// Source: the evaluation scripts of AirNet, PromptIR and AdaIR. Differs: they compute in float.
struct UnroundedPSNR {
  static constexpr std::string_view name = "psnr_unrounded";
  static constexpr std::string_view label = "PSNR unrounded";
  static constexpr std::string_view unit = "dB";
  static constexpr std::string_view protocol =
      "dB, peak 1, mean squared error over all three channels of RGB, values clamped to [0, 1] and "
      "not rounded, no border left out (scikit-image's of floats)";
  static constexpr bool unrounded = true;
  static constexpr bool higher_is_better = true;

  /// @param restored  (3, H, W) or (1, 3, H, W), values in [0, 1]; others are clamped.
  /// @param target    of the same height and width.
  /// @return dB; +infinity for identical pictures.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const auto a = detail::unrounded("UnroundedPSNR", restored);
    const auto b = detail::unrounded("UnroundedPSNR", target);
    detail::check_same_shape("UnroundedPSNR", a, b);
    const auto error = a.sub(b).square().mean().item<double>();
    if (error == 0) return std::numeric_limits<double>::infinity();
    return 10 * std::log10(255.0 * 255.0 / error);
  }

  static double pooled(const std::vector<double>& scores) { return PSNR<>::pooled(scores); }
};

/// `SSIMUniform` of values that are not rounded to 8 bits: what scikit-image's
/// `structural_similarity` computes of floats with `data_range=1` and three channels.
///
/// Source: the evaluation scripts of AirNet, PromptIR and AdaIR. Differs: they compute in float.
struct UnroundedSSIM {
  static constexpr std::string_view name = "ssim_uniform_unrounded";
  static constexpr std::string_view label = "SSIM uniform unrounded";
  static constexpr std::string_view protocol =
      "7 x 7 uniform window, sample covariance (49/48), windows inside the picture only, K1 0.01, "
      "K2 0.03, peak 1, mean over the channels of RGB, values clamped to [0, 1] and not rounded "
      "(scikit-image's default of floats)";
  static constexpr bool unrounded = true;
  static constexpr bool higher_is_better = true;

  /// @param restored  (3, H, W) or (1, 3, H, W), sides of at least 7, values in [0, 1].
  /// @param target    of the same height and width.
  /// @return at most 1, for identical pictures.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const auto a = detail::unrounded("UnroundedSSIM", restored, 7);
    const auto b = detail::unrounded("UnroundedSSIM", target, 7);
    detail::check_same_shape("UnroundedSSIM", a, b);
    return detail::windowed_ssim(a, b, std::vector<double>(7, 1.0 / 7), 49.0 / 48);
  }
};

static_assert(Metric<UnroundedPSNR> && Metric<UnroundedSSIM>);

}  // namespace limpid
