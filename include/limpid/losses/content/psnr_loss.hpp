#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/losses/content/combination.hpp>

#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>

#include <numbers>
#endif

namespace limpid {

namespace detail {

/// Minus the peak signal-to-noise ratio of differences in unit range, in dB, mean over samples.
LIMPID_INLINE at::Tensor negative_psnr(const at::Tensor& difference, double floor);

}  // namespace detail

/// Minus the peak signal-to-noise ratio, in decibels, mean over samples.
///
/// Source: Chen et al., "Simple Baselines for Image Restoration" (NAFNet), ECCV 2022, published
/// code: 10 / ln 10 * mean over samples of ln(mean squared error + floor), images in [0, 1].
/// Takes images in [-1, 1] like every loss, and converts. The gradient of a sample is the squared
/// error's divided by the squared error, so each sample pulls alike, however bad it is. Negative
/// for any reasonable image; equal images give -80 dB.
///
/// Where some pictures of a set are hardly degraded, to leave all as they are is worth tens of
/// decibels on those, and training stays there. A floor of 3e-4 (35 dB) bounds what a picture can
/// give: better ones pull ever less.
struct PSNRLoss {
  double floor = 1e-8;  ///< added to the squared error in unit range: the loss is at least 10 log10
                        ///< of it, -80

  static constexpr std::string_view name = "psnr";

  static void each_option(auto& self, auto&& visit) {
    visit("floor", self.floor, "added to the squared error in [0, 1]");
  }

  /// @throws c10::ValueError if `floor` is not positive.
  void check() const;

  /// @param restored, target  (N, C, H, W), values in [-1, 1].
  /// @return  scalar, dB.
  /// @throws c10::ValueError if the shapes differ or `floor` is not positive.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<PSNRLoss> && HasOptionsByName<PSNRLoss>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor negative_psnr(const at::Tensor& difference, double floor) {
  const auto error = difference.square().flatten(1).mean(1);  // (N)
  return (error + floor).log().mean() * (10.0 / std::numbers::ln10);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void PSNRLoss::check() const { detail::check_positive("PSNRLoss: floor", floor); }

LIMPID_INLINE at::Tensor PSNRLoss::operator()(const at::Tensor& restored,
                                              const at::Tensor& target) const {
  check();
  detail::check_same_shape("PSNRLoss", restored, target);
  constexpr double kUnitPerSigned = 0.5;
  const auto difference = detail::at_least_float(restored) - detail::at_least_float(target);
  return detail::negative_psnr(difference * kUnitPerSigned, floor);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
