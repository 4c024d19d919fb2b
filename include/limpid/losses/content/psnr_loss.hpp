#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>
#include <limpid/losses/content/combination.hpp>

#include <ATen/TensorOperators.h>

#include <numbers>
#include <string_view>

namespace limpid {

/// Minus the peak signal-to-noise ratio, in decibels, mean over samples.
///
/// Source: Chen et al., "Simple Baselines for Image Restoration" (NAFNet), ECCV 2022, published
/// code: 10 / ln 10 * mean over samples of ln(mean squared error + epsilon), images in [0, 1].
/// Takes images in [-1, 1] like every loss, and converts. The gradient of a sample is the squared
/// error's divided by the squared error, so each sample pulls alike, however bad it is. Negative
/// for any reasonable image; equal images give -80 dB.
struct PSNRLoss {
  double epsilon = 1e-8;  ///< added to the squared error in unit range: the loss is at least -80

  static constexpr std::string_view name = "psnr";

  /// @param restored, target  (N, C, H, W), values in [-1, 1].
  /// @return  scalar, dB.
  /// @throws c10::ValueError if the shapes differ or `epsilon` is not positive.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    detail::check_positive("PSNRLoss: epsilon", epsilon);
    detail::check_same_shape("PSNRLoss", restored, target);
    constexpr double kUnitPerSigned = 0.5;
    const auto difference =
        (detail::at_least_float(restored) - detail::at_least_float(target)) * kUnitPerSigned;
    const auto error = difference.square().flatten(1).mean(1);  // (N)
    return (error + epsilon).log().mean() * (10.0 / std::numbers::ln10);
  }
};

static_assert(NamedContentLoss<PSNRLoss>);

}  // namespace limpid
