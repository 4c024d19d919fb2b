#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/losses/content/combination.hpp>

#include <ATen/ops/fft_fft2.h>
#include <ATen/ops/view_as_real.h>

#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>

#include <cmath>
#endif

namespace limpid {

/// Squared distance of spectra in which the frequencies count that are worst restored.
///
/// Source: Jiang et al., "Focal Frequency Loss for Image Reconstruction and Synthesis", ICCV 2021:
/// mean over frequencies of w |d|^2, d the difference of both spectra (orthonormal transform), w =
/// |d|^alpha over its maximum in that channel of that image. No gradient passes w.
/// Takes the images as they come: on [-1, 1] it is four times what it would be in [0, 1].
struct FocalFrequencyLoss {
  double alpha = 1.0;  ///< how much more the worst frequencies count; 0: all alike

  static constexpr std::string_view name = "focal-frequency";

  static void each_option(auto& self, auto&& visit) {
    visit("alpha", self.alpha, "how much more the worst frequencies count");
  }

  /// @throws c10::ValueError if `alpha` is negative.
  void check() const;

  /// @param restored, target  (N, C, H, W), the same shape.
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes differ or `alpha` is negative.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;

  /// |d|^2 at each frequency.
  static at::Tensor squared_distance(const at::Tensor& restored, const at::Tensor& target);

  /// How much each frequency counts, 0 to 1; 0 everywhere for equal images.
  at::Tensor weights(const at::Tensor& squared_distance) const;

 private:
  static double root_of_pixels(const at::Tensor& image);
};

static_assert(NamedContentLoss<FocalFrequencyLoss> && HasOptionsByName<FocalFrequencyLoss>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void FocalFrequencyLoss::check() const {
  detail::check_not_negative("FocalFrequencyLoss: alpha", alpha);
}

LIMPID_INLINE at::Tensor FocalFrequencyLoss::operator()(const at::Tensor& restored,
                                                        const at::Tensor& target) const {
  check();
  const auto distance = squared_distance(restored, target);
  return (weights(distance) * distance).mean();
}

LIMPID_INLINE at::Tensor FocalFrequencyLoss::squared_distance(const at::Tensor& restored,
                                                              const at::Tensor& target) {
  detail::check_same_shape("FocalFrequencyLoss", restored, target);
  const auto difference = detail::at_least_float(restored) - detail::at_least_float(target);
  const auto transformed = at::fft_fft2(difference) / root_of_pixels(difference);
  return at::view_as_real(transformed).square().sum(-1);
}

LIMPID_INLINE at::Tensor FocalFrequencyLoss::weights(const at::Tensor& squared_distance) const {
  const auto size = squared_distance.detach().pow(alpha / 2);
  return size / size.amax({-2, -1}, true).clamp_min(1e-30);
}

LIMPID_INLINE double FocalFrequencyLoss::root_of_pixels(const at::Tensor& image) {
  return std::sqrt(static_cast<double>(image.size(-2) * image.size(-1)));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
