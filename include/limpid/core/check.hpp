#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid::detail {

/// "name must be at least 1, got 0"
LIMPID_INLINE void check_at_least(std::string_view name, std::int64_t value, std::int64_t least);

/// "name must be positive, got -1"
LIMPID_INLINE void check_positive(std::string_view name, double value);

/// "name must not be negative, got -1"
LIMPID_INLINE void check_not_negative(std::string_view name, double value);

/// "name must be in (0, 1], got 2"
LIMPID_INLINE void check_width(std::string_view name, double value);

/// "PatchGAN: expected image (N, 3, H, W), got [3, 8, 8]", and a smallest side in pixels.
LIMPID_INLINE void check_image(std::string_view component, const at::Tensor& image,
                               std::int64_t channels = 3, std::int64_t min_side = 1);

/// "L1: restored [1, 3, 8, 8] and target [1, 3, 8, 9] differ in shape"
LIMPID_INLINE void check_same_shape(std::string_view component, const at::Tensor& restored,
                                    const at::Tensor& target);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void check_at_least(std::string_view name, std::int64_t value, std::int64_t least) {
  TORCH_CHECK_VALUE(value >= least, name, " must be at least ", least, ", got ", value);
}

LIMPID_INLINE void check_positive(std::string_view name, double value) {
  TORCH_CHECK_VALUE(value > 0, name, " must be positive, got ", value);
}

LIMPID_INLINE void check_not_negative(std::string_view name, double value) {
  TORCH_CHECK_VALUE(value >= 0, name, " must not be negative, got ", value);
}

LIMPID_INLINE void check_width(std::string_view name, double value) {
  TORCH_CHECK_VALUE(value > 0 && value <= 1, name, " must be in (0, 1], got ", value);
}

LIMPID_INLINE void check_image(std::string_view component, const at::Tensor& image,
                               std::int64_t channels, std::int64_t min_side) {
  TORCH_CHECK_VALUE(image.dim() == 4 && image.size(1) == channels, component,
                    ": expected image (N, ", channels, ", H, W), got ", image.sizes());
  TORCH_CHECK_VALUE(image.size(2) >= min_side && image.size(3) >= min_side, component,
                    ": expected sides of at least ", min_side, " pixels, got ", image.sizes());
}

LIMPID_INLINE void check_same_shape(std::string_view component, const at::Tensor& restored,
                                    const at::Tensor& target) {
  TORCH_CHECK_VALUE(restored.sizes() == target.sizes(), component, ": restored ", restored.sizes(),
                    " and target ", target.sizes(), " differ in shape");
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
