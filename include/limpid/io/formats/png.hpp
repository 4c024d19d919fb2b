#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/formats/png_chunks.hpp>
#include <limpid/io/formats/png_libpng.hpp>
#include <limpid/io/formats/png_stb.hpp>

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/io/cropped.hpp>
#include <limpid/io/formats/png_plain.hpp>
#endif

namespace limpid {

namespace detail {

LIMPID_INLINE at::Tensor decode_png_part(std::string_view bytes, PictureHeader& header,
                                         const ImageLimits& limits, const Window& window);

LIMPID_INLINE at::Tensor decode_png(std::string_view bytes, PictureHeader& header,
                                    const ImageLimits& limits);

LIMPID_INLINE std::string encode_png_with_colours(const PictureToWrite& picture);

}  // namespace detail

/// PNG of every kind: the usual ones by limpid, all others by libpng where the build has it, else
/// by stb_image. Checksums are compared, all of them, whatever part is decoded.
inline constexpr PictureFormat kPng{.name = "PNG",
                                    .extensions = ".png .apng",
                                    .recognises = &detail::is_png,
                                    .read_header = &detail::read_png_header,
                                    .decode = &detail::decode_png,
                                    .decode_part = &detail::decode_png_part,
                                    .decode_samples = &detail::decode_png_samples,
                                    .encode = &detail::encode_png_with_colours,
                                    .max_pixels = detail::kMostPngPixels,
                                    .writes_grey = true,
                                    .keeps_profile = true,
                                    .keeps_png_colours = true,
                                    .decoder = detail::kPngDecoder};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor decode_png_part(std::string_view bytes, PictureHeader& header,
                                         const ImageLimits& limits, const Window& window) {
  if (const auto at = plain_png_data(bytes, header)) {
    return decode_plain_png(bytes, *at, header, limits, window);
  }
  return cropped(decode_png_by_library(bytes, header, limits), window);
}

LIMPID_INLINE at::Tensor decode_png(std::string_view bytes, PictureHeader& header,
                                    const ImageLimits& limits) {
  return decode_png_part(bytes, header, limits, Window::whole(header.height, header.width));
}

LIMPID_INLINE std::string encode_png_with_colours(const PictureToWrite& picture) {
  return with_png_colours(encode_png(picture), picture);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
