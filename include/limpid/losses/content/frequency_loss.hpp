#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>

#include <ATen/ops/fft_fft2.h>
#include <ATen/ops/fft_rfft2.h>
#include <ATen/ops/view_as_real.h>

#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// How much of the spectrum of a real image is compared.
enum class Spectrum {
  full,  ///< H x W frequencies, most of them twice, as conjugates
  half,  ///< H x (W / 2 + 1), each once but for two columns: another mean, and half the work
};

/// L1 between spectra: mean absolute difference of the real and imaginary parts of the images'
/// two-dimensional Fourier transforms, not normalised.
///
/// Source: Cho et al., "Rethinking Coarse-to-Fine Approach in Single Image Deblurring" (MIMO-UNet),
/// ICCV 2021, published code: the full spectrum, weight 0.1 beside L1. Code that calls rfft2 has
/// the half one. Takes the images as they come: on [-1, 1] it is twice what it would be in [0, 1],
/// as L1 is. Its size grows with the root of the number of pixels.
struct FrequencyLoss {
  Spectrum spectrum = Spectrum::full;

  std::string name() const { return spectrum == Spectrum::full ? "frequency" : "frequency-half"; }

  /// @param restored, target  (..., H, W), the same shape.
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes differ.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<FrequencyLoss>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor FrequencyLoss::operator()(const at::Tensor& restored,
                                                   const at::Tensor& target) const {
  detail::check_same_shape("FrequencyLoss", restored, target);
  const auto difference = detail::at_least_float(restored) - detail::at_least_float(target);
  const auto transformed =
      spectrum == Spectrum::full ? at::fft_fft2(difference) : at::fft_rfft2(difference);
  return at::view_as_real(transformed).abs().mean();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
