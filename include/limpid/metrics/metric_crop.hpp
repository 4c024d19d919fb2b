#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/metrics/any_metric.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <string>
#include <utility>

namespace limpid {

/// Which part of each picture a metric looks at.
struct MetricCrop {
  std::int64_t multiple_of = 1;  ///< sides are cut to multiples of this, as much at either end
  std::int64_t crop_border = 0;  ///< then so many pixels are left out along each border

  static void each_option(auto& self, auto&& visit) {
    visit("multiple-of", self.multiple_of, "sides are cut to multiples of so many pixels");
    visit("crop-border", self.crop_border, "so many pixels are left out along each border");
  }
};

namespace detail {

/// The middle of the last two dimensions. An odd pixel is left out at the end.
/// @throws c10::ValueError that begins with `component` where nothing is left.
inline at::Tensor metric_part(const std::string& component, const at::Tensor& image,
                              const MetricCrop& crop) {
  auto part = image;
  for (const std::int64_t dim : {-2, -1}) {
    const auto side = image.dim() >= 2 ? image.size(dim) : 0;
    const auto whole = side - side % crop.multiple_of;
    const auto left = whole - 2 * crop.crop_border;
    TORCH_CHECK_VALUE(left > 0, component, ": expected sides of at least ",
                      crop.multiple_of * ((2 * crop.crop_border) / crop.multiple_of + 1),
                      " pixels, got ", image.sizes());
    part = part.narrow(dim, (side - whole) / 2 + crop.crop_border, left);
  }
  return part;
}

}  // namespace detail

/// The same metric on a part of each picture: `cropped_metric(PSNRY{}, {.crop_border = 4})` is
/// called "psnr_y:crop_border=4", and its protocol says so.
///
/// @throws c10::ValueError unless multiple_of >= 1 and crop_border >= 0.
inline AnyMetric cropped_metric(const AnyMetric& metric, const MetricCrop& crop) {
  detail::check_at_least("multiple-of", crop.multiple_of, 1);
  detail::check_at_least("crop-border", crop.crop_border, 0);
  std::string options, label, protocol;
  const auto add = [&](const std::string& name, std::int64_t value, const std::string& words) {
    options += (options.empty() ? ":" : ",") + name + "=" + std::to_string(value);
    label += ", " + words;
    protocol += "; first " + words + " of both pictures";
  };
  if (crop.multiple_of > 1) {
    const auto n = std::to_string(crop.multiple_of);
    add("multiple_of", crop.multiple_of, "the middle of multiples of " + n + " pixels");
  }
  if (crop.crop_border > 0) {
    const auto n = std::to_string(crop.crop_border);
    add("crop_border", crop.crop_border, "all but a border of " + n + " pixels");
  }
  if (options.empty()) return metric;
  const auto name = metric.name + options;
  auto cropped = metric.of_part(
      [name, crop](const at::Tensor& image) { return detail::metric_part(name, image, crop); });
  cropped.name = name;
  cropped.label += label;
  cropped.protocol += protocol;
  return cropped;
}

}  // namespace limpid
