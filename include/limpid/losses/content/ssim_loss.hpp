#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>

#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/losses/content/ssim_terms.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// 1 - structural similarity, per channel.
///
/// Source: Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to
/// Structural Similarity", IEEE TIP 2004, sec. III-C: 11 x 11 Gaussian, sigma 1.5, population
/// covariance, windows inside the image only, K1 = 0.01, K2 = 0.03. As a loss: Zhao et al., "Loss
/// Functions for Image Restoration With Neural Networks", IEEE TCI 2017.
/// Differs: of a side below 11 the window has as many taps as pixels. The metric `SSIMGaussian` is
/// this on pictures rounded to 8 bits.
struct SSIMLoss {
  static constexpr std::string_view name = "ssim";

  /// @param restored, target  (N, C, H, W), values in [-1, 1].
  /// @return  scalar; 0 for equal images, at most 2.
  /// @throws c10::ValueError if the shapes differ or are no images.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<SSIMLoss>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor SSIMLoss::operator()(const at::Tensor& restored,
                                              const at::Tensor& target) const {
  detail::check_ssim_images("SSIMLoss", restored, target, 1);
  const auto x = to_unit(detail::at_least_float(restored));
  const auto y = to_unit(detail::at_least_float(target));
  return 1 - detail::ssim_terms(x, y).similarity.mean();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
