#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/psnr_loss.hpp>

#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// `PSNRLoss` on the luma: minus the PSNR that deraining papers print, in decibels.
///
/// Source: NAFNet's published code (BasicSR's `PSNRLoss` with `toY`): Y of BT.601 in studio range,
/// (65.481 R + 128.553 G + 24.966 B + 16) / 255 of R, G, B in [0, 1]. Colours that share a luma
/// are alike to it: it stands beside a loss that sees colours.
struct PSNRYLoss {
  double floor = 1e-8;  ///< added to the squared error of Y in unit range

  static constexpr std::string_view name = "psnr-y";

  static void each_option(auto& self, auto&& visit) {
    visit("floor", self.floor, "added to the squared error of Y in [0, 1]");
  }

  /// @throws c10::ValueError if `floor` is not positive.
  void check() const;

  /// @param restored, target  (N, 3, H, W), values in [-1, 1].
  /// @return  scalar, dB.
  /// @throws c10::ValueError if the shapes differ, are no RGB, or `floor` is not positive.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<PSNRYLoss> && HasOptionsByName<PSNRYLoss>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void PSNRYLoss::check() const { detail::check_positive("PSNRYLoss: floor", floor); }

LIMPID_INLINE at::Tensor PSNRYLoss::operator()(const at::Tensor& restored,
                                               const at::Tensor& target) const {
  check();
  detail::check_image("PSNRYLoss", restored);
  detail::check_same_shape("PSNRYLoss", restored, target);
  constexpr double kUnitPerSigned = 0.5 / 255;
  const auto rgb = detail::at_least_float(restored) - detail::at_least_float(target);
  const auto y = 65.481 * rgb.select(1, 0) + 128.553 * rgb.select(1, 1) +
                 24.966 * rgb.select(1, 2);  // of differences: the offset of 16 is gone
  return detail::negative_psnr(y * kUnitPerSigned, floor);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
