#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid::detail {

/// What metrics compare: (3, H, W) double on the CPU with whole values 0..255, from a unit-range
/// image, clamped and rounded as `Image::from_unit` does. Values that are not numbers stay so.
///
/// @throws c10::ValueError if `image` is no (3, H, W) or (1, 3, H, W), or a side is too small.
LIMPID_INLINE at::Tensor eight_bit(std::string_view component, const at::Tensor& image,
                                   std::int64_t min_side = 1);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor eight_bit(std::string_view component, const at::Tensor& image,
                                   std::int64_t min_side) {
  const bool batched = image.dim() == 4 && image.size(0) == 1;
  TORCH_CHECK_VALUE((batched || image.dim() == 3) && image.size(-3) == 3, component,
                    ": expected image (3, H, W) or (1, 3, H, W), got ", image.sizes());
  TORCH_CHECK_VALUE(image.size(-2) >= min_side && image.size(-1) >= min_side, component,
                    ": expected sides of at least ", min_side, " pixels, got ", image.sizes());
  const auto single = (batched ? image.squeeze(0) : image).detach();
  const auto bytes = single.to(at::kCPU, at::kFloat).clamp(0, 1).mul(255).add(0.5).floor();
  return bytes.to(at::kDouble).contiguous();
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
