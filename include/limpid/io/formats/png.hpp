#pragma once

#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/formats/png_chunks.hpp>
#include <limpid/io/formats/png_libpng.hpp>
#include <limpid/io/formats/png_stb.hpp>

#include <string>

namespace limpid {

namespace detail {

inline std::string encode_png_with_colours(const PictureToWrite& picture) {
  return with_png_colours(encode_png(picture), picture);
}

}  // namespace detail

/// PNG of every kind, decoded by libpng where the build has it, else by stb_image. Checksums are
/// compared, all of them.
inline constexpr PictureFormat kPng{.name = "PNG",
                                    .extensions = ".png .apng",
                                    .recognises = &detail::is_png,
                                    .read_header = &detail::read_png_header,
                                    .decode = &detail::decode_png,
                                    .decode_samples = &detail::decode_png_samples,
                                    .encode = &detail::encode_png_with_colours,
                                    .max_pixels = detail::kMostPngPixels,
                                    .writes_grey = true,
                                    .keeps_profile = true,
                                    .keeps_png_colours = true,
                                    .decoder = detail::kPngDecoder};

}  // namespace limpid
