#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>

#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/degradations/batch_tensors.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// The light of pictures (N, 3, H, W) in [0, 1], white brighter by a factor for each picture: what
/// `LightCurve::light` and `highlight_gain` give for each pixel.
/// @param gamma  of each picture, (N, 1, 1, 1)
LIMPID_INLINE at::Tensor highlighted_light(const at::Tensor& images, const at::Tensor& gamma,
                                           const std::vector<float>& factors);

/// Light -> stored values in [0, 1]; what is brighter than white is white.
/// @param gamma  of each picture, (N, 1, 1, 1)
LIMPID_INLINE at::Tensor stored_light(const at::Tensor& light, const at::Tensor& gamma);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor highlighted_light(const at::Tensor& images, const at::Tensor& gamma,
                                           const std::vector<float>& factors) {
  const auto x = ((images.amax(1, /*keepdim=*/true) - 0.9) * 10).clamp_(0, 1);
  const auto gain = 1 + (for_each_picture(images, factors) - 1) * (x * x * (3 - 2 * x));
  return images.clamp_min(0).pow(gamma) * gain;
}

LIMPID_INLINE at::Tensor stored_light(const at::Tensor& light, const at::Tensor& gamma) {
  return light.clamp(0, 1).pow(gamma.reciprocal());
}

}  // namespace limpid

#endif  // LIMPID_BODIES
