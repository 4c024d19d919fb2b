#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/metrics/eight_bit.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Which values of two 8-bit RGB pictures a metric compares.
enum class MetricChannels {
  rgb,        ///< all three colours
  y,          ///< the luma of BT.601, studio range 16..235, as MATLAB's rgb2ycbcr makes it
  y_rounded,  ///< the same, rounded to whole numbers, as rgb2ycbcr of an 8-bit picture gives it
  gray,       ///< 0.299 R + 0.587 G + 0.114 B, rounded to whole numbers
};

namespace detail {

constexpr std::string_view description(MetricChannels channels) {
  switch (channels) {
    case MetricChannels::rgb:
      return "all three channels of RGB";
    case MetricChannels::y:
      return "Y of BT.601 (16..235, as MATLAB's rgb2ycbcr, not rounded)";
    case MetricChannels::y_rounded:
      return "Y of BT.601 (16..235, as MATLAB's rgb2ycbcr, rounded)";
    case MetricChannels::gray:
      return "grey (0.299 R + 0.587 G + 0.114 B, rounded)";
  }
  return {};
}

/// The values of a unit-range image that a metric compares: (3, H, W), or (1, H, W) where it is not
/// RGB; double on the CPU, 0..255.
///
/// @throws c10::ValueError as `eight_bit` does.
LIMPID_INLINE at::Tensor metric_channels(std::string_view component, const at::Tensor& image,
                                         MetricChannels channels, std::int64_t min_side = 1);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor metric_channels(std::string_view component, const at::Tensor& image,
                                         MetricChannels channels, std::int64_t min_side) {
  const auto rgb = eight_bit(component, image, min_side);
  const auto sum = [&](double red, double green, double blue) {
    return rgb.narrow(0, 0, 1) * red + rgb.narrow(0, 1, 1) * green + rgb.narrow(0, 2, 1) * blue;
  };
  switch (channels) {
    case MetricChannels::rgb:
      return rgb;
    case MetricChannels::y:
      return sum(65.481, 128.553, 24.966) / 255 + 16;
    case MetricChannels::y_rounded:
      return (sum(65.481, 128.553, 24.966) / 255 + 16).round();
    case MetricChannels::gray:
      return sum(0.299, 0.587, 0.114).round();
  }
  return rgb;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
