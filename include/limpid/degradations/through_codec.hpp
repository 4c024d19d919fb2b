#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/formats/picture_format.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/io/image.hpp>
#include <limpid/io/image_limits.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid::detail {

/// What is left of a photograph after it was written as a file and read again; in memory.
///
/// @param image  (3, H, W) float in [0, 1], contiguous; it is rounded to 8 bits.
/// @return       the same shape, 255ths.
/// @throws c10::ValueError if this build cannot write the format.
LIMPID_INLINE at::Tensor through_codec(const PictureFormat& format, std::string_view component,
                                       const at::Tensor& image, int quality,
                                       ColourSampling sampling = ColourSampling::by_quality);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor through_codec(const PictureFormat& format, std::string_view component,
                                       const at::Tensor& image, int quality,
                                       ColourSampling sampling) {
  TORCH_CHECK_VALUE(format.encode != nullptr && format.decode != nullptr, component, ": ",
                    format.missing);
  const auto photo = Image::from_unit(image);
  PictureToWrite picture;
  picture.samples = photo.data();
  picture.height = photo.height();
  picture.width = photo.width();
  picture.quality = quality;
  picture.sampling = sampling;
  const auto bytes = format.encode(picture);
  const auto limits = ImageLimits::up_to(photo.height() * photo.width());
  auto header = format.read_header(bytes, limits);
  return Image{format.decode(bytes, header, limits)}.unit()[0].contiguous();
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
