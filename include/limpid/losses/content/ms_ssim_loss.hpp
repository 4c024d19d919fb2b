#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>

#include <ATen/ops/avg_pool2d.h>

#include <array>
#include <cstddef>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/losses/content/ssim_terms.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// 1 - multi-scale structural similarity, per channel.
///
/// Source: Wang, Simoncelli and Bovik, "Multi-scale Structural Similarity for Image Quality
/// Assessment", Asilomar 2003: contrast and structure of four scales, each half as large as the
/// one before, and all of SSIM at the fifth; windows and constants as `SSIMLoss`.
/// Differs: halves by means of 2 x 2 pixels (an odd last row or column is dropped), takes means
/// below 0 as 0, and the product per sample and channel. Of a side below 11 the window has as many
/// taps as pixels, so that crops for training do, from 16 pixels on; `MSSSIM` wants 161.
struct MSSSIMLoss {
  static constexpr std::string_view name = "ms-ssim";

  /// @param restored, target  (N, C, H, W), values in [-1, 1], sides of at least 16 pixels.
  /// @return  scalar, 0 to 1; 0 for equal images.
  /// @throws c10::ValueError if the shapes differ, are no images, or a side is below 16.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;

 private:
  static constexpr std::array<double, 5> kWeights{0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

  /// 0 from 0 down, where the power itself has no finite slope.
  static at::Tensor power(const at::Tensor& mean, double exponent);
};

static_assert(NamedContentLoss<MSSSIMLoss>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor MSSSIMLoss::operator()(const at::Tensor& restored,
                                                const at::Tensor& target) const {
  detail::check_ssim_images("MSSSIMLoss", restored, target, 16);
  auto x = to_unit(detail::at_least_float(restored));
  auto y = to_unit(detail::at_least_float(target));
  at::Tensor product;
  for (std::size_t scale = 0; scale < kWeights.size(); ++scale) {
    if (scale > 0) {
      x = at::avg_pool2d(x, 2);
      y = at::avg_pool2d(y, 2);
    }
    const auto terms = detail::ssim_terms(x, y);
    const bool last = scale + 1 == kWeights.size();
    const auto factor = power(last ? terms.similarity : terms.contrast, kWeights[scale]);
    product = scale == 0 ? factor : product * factor;
  }
  return 1 - product.mean();
}

LIMPID_INLINE at::Tensor MSSSIMLoss::power(const at::Tensor& mean, double exponent) {
  return mean.clamp_min(1e-6).pow(exponent) * mean.detach().gt(0);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
