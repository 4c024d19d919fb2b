#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <string_view>

namespace limpid::detail {

/// "name must be at least 1, got 0"
inline void check_at_least(std::string_view name, std::int64_t value, std::int64_t least) {
  TORCH_CHECK_VALUE(value >= least, name, " must be at least ", least, ", got ", value);
}

/// "name must be positive, got -1"
inline void check_positive(std::string_view name, double value) {
  TORCH_CHECK_VALUE(value > 0, name, " must be positive, got ", value);
}

/// "name must not be negative, got -1"
inline void check_not_negative(std::string_view name, double value) {
  TORCH_CHECK_VALUE(value >= 0, name, " must not be negative, got ", value);
}

/// "name must be in (0, 1], got 2"
inline void check_width(std::string_view name, double value) {
  TORCH_CHECK_VALUE(value > 0 && value <= 1, name, " must be in (0, 1], got ", value);
}

/// "PatchGAN: expected image (N, 3, H, W), got [3, 8, 8]", and a smallest side in pixels.
inline void check_image(std::string_view component, const at::Tensor& image,
                        std::int64_t channels = 3, std::int64_t min_side = 1) {
  TORCH_CHECK_VALUE(image.dim() == 4 && image.size(1) == channels, component,
                    ": expected image (N, ", channels, ", H, W), got ", image.sizes());
  TORCH_CHECK_VALUE(image.size(2) >= min_side && image.size(3) >= min_side, component,
                    ": expected sides of at least ", min_side, " pixels, got ", image.sizes());
}

/// "L1: restored [1, 3, 8, 8] and target [1, 3, 8, 9] differ in shape"
inline void check_same_shape(std::string_view component, const at::Tensor& restored,
                             const at::Tensor& target) {
  TORCH_CHECK_VALUE(restored.sizes() == target.sizes(), component, ": restored ", restored.sizes(),
                    " and target ", target.sizes(), " differ in shape");
}

}  // namespace limpid::detail
