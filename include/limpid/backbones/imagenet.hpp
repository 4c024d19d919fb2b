#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Mean and standard deviation of ImageNet's pixels, R, G, B in [0, 1], as torchvision's and most
/// other ImageNet weights expect their input normalised.
inline constexpr std::array<double, 3> kImageNetMean{0.485, 0.456, 0.406};
inline constexpr std::array<double, 3> kImageNetDeviation{0.229, 0.224, 0.225};

/// Signed range to what ImageNet weights expect: unit range, less the mean, over the deviation.
///
/// @param image  (N, 3, H, W), values in [-1, 1].
/// @throws c10::ValueError if `image` has another shape.
LIMPID_INLINE at::Tensor to_imagenet(const at::Tensor& image);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor to_imagenet(const at::Tensor& image) {
  detail::check_image("to_imagenet", image);
  std::vector<at::Tensor> channels;
  for (std::size_t c = 0; c < 3; ++c) {
    // Numbers, not tensors of numbers: nothing is copied to the device.
    channels.push_back(image.select(1, static_cast<std::int64_t>(c)) *
                           (0.5 / kImageNetDeviation[c]) +
                       (0.5 - kImageNetMean[c]) / kImageNetDeviation[c]);
  }
  return at::stack(channels, 1);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
