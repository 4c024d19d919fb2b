#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/padding.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <string_view>

namespace limpid::detail {

/// "NAFNetEncoder: expected sides that are multiples of 16, got [1, 3, 50, 60] (pad_image pads)",
/// and what `check_image` says.
inline void check_padded_image(std::string_view component, const at::Tensor& image,
                               const ImagePadding& padding) {
  check_image(component, image, 3, padding.min_side);
  TORCH_CHECK_VALUE(image.size(2) % padding.multiple == 0 && image.size(3) % padding.multiple == 0,
                    component, ": expected sides that are multiples of ", padding.multiple,
                    ", got ", image.sizes(), " (pad_image pads)");
}

/// "ResNetDecoder: expected features (N, 256, H, W), got [1, 64, 8, 8]"; `what` names the map.
inline void check_features(std::string_view component, std::string_view what, const at::Tensor& map,
                           std::int64_t channels) {
  TORCH_CHECK_VALUE(map.defined(), component, ": expected ", what, " (N, ", channels,
                    ", H, W), got nothing");
  TORCH_CHECK_VALUE(map.dim() == 4 && map.size(1) == channels, component, ": expected ", what,
                    " (N, ", channels, ", H, W), got ", map.sizes());
}

}  // namespace limpid::detail
