#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/padding.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid::detail {

/// "NAFNetEncoder: expected sides that are multiples of 16, got [1, 3, 50, 60] (pad_image pads)",
/// and what `check_image` says.
LIMPID_INLINE void check_padded_image(std::string_view component, const at::Tensor& image,
                                      const ImagePadding& padding);

/// "ResNetDecoder: expected features (N, 256, H, W), got [1, 64, 8, 8]"; `what` names the map.
LIMPID_INLINE void check_features(std::string_view component, std::string_view what,
                                  const at::Tensor& map, std::int64_t channels);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void check_padded_image(std::string_view component, const at::Tensor& image,
                                      const ImagePadding& padding) {
  check_image(component, image, 3, padding.min_side);
  TORCH_CHECK_VALUE(image.size(2) % padding.multiple == 0 && image.size(3) % padding.multiple == 0,
                    component, ": expected sides that are multiples of ", padding.multiple,
                    ", got ", image.sizes(), " (pad_image pads)");
}

LIMPID_INLINE void check_features(std::string_view component, std::string_view what,
                                  const at::Tensor& map, std::int64_t channels) {
  TORCH_CHECK_VALUE(map.defined(), component, ": expected ", what, " (N, ", channels,
                    ", H, W), got nothing");
  TORCH_CHECK_VALUE(map.dim() == 4 && map.size(1) == channels, component, ": expected ", what,
                    " (N, ", channels, ", H, W), got ", map.sizes());
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
