#pragma once

#include <limpid/core/check.hpp>
#include <limpid/io/image.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace limpid {

namespace detail {

/// Pictures one after the other along dimension `along` of (1, 3, H, W), with white gaps.
inline Image joined(const char* component, const std::vector<Image>& pictures, std::int64_t along,
                    std::int64_t gap) {
  TORCH_CHECK_VALUE(!pictures.empty(), component, ": expected at least one picture");
  detail::check_not_negative(std::string{component} + ": gap", static_cast<double>(gap));
  std::vector<at::Tensor> parts;
  for (const auto& picture : pictures) {
    const auto image = picture.unit();
    if (!parts.empty()) {
      const auto across = 5 - along;
      TORCH_CHECK_VALUE(image.size(across) == parts.front().size(across), component,
                        ": expected pictures of equal ", along == 3 ? "height" : "width", ", got ",
                        parts.front().sizes(), " and ", image.sizes());
      auto shape = image.sizes().vec();
      shape[static_cast<std::size_t>(along)] = gap;
      if (gap > 0) parts.push_back(at::full(shape, 1.0, image.options()));
    }
    parts.push_back(image);
  }
  return Image::from_unit(at::cat(parts, along));
}

}  // namespace detail

/// Pictures of one height side by side, with thin white gaps of `gap` pixels.
///
/// @throws c10::ValueError if heights differ or there is no picture.
inline Image picture_strip(const std::vector<Image>& pictures, std::int64_t gap = 6) {
  return detail::joined("picture_strip", pictures, 3, gap);
}

/// Degraded | restored | true, of one height.
inline Image picture_strip(const Image& degraded, const Image& restored, const Image& target,
                           std::int64_t gap = 6) {
  return picture_strip(std::vector<Image>{degraded, restored, target}, gap);
}

/// Pictures, or strips, of one width below each other, with white gaps of `gap` pixels.
///
/// @throws c10::ValueError if widths differ or there is no picture.
inline Image picture_column(const std::vector<Image>& pictures, std::int64_t gap = 6) {
  return detail::joined("picture_column", pictures, 2, gap);
}

}  // namespace limpid
