#pragma once

#include <limpid/io/formats/jpeg_cut.hpp>
#include <limpid/io/formats/jpeg_header.hpp>
#include <limpid/io/formats/jpeg_libjpeg.hpp>
#include <limpid/io/formats/jpeg_stb.hpp>
#include <limpid/io/formats/picture_format.hpp>

#include <string>

namespace limpid {

namespace detail {

inline std::string encode_jpeg_with_facts(const PictureToWrite& picture) {
  return with_jpeg_exif(with_jpeg_profile(encode_jpeg(picture), picture), picture);
}

}  // namespace detail

/// Baseline and progressive JPEG, decoded by libjpeg where the build has it, else by stb_image.
inline constexpr PictureFormat kJpeg{.name = "JPEG",
                                     .extensions = ".jpg .jpeg .jpe .jfif",
                                     .recognises = &detail::is_jpeg,
                                     .read_header = &detail::read_jpeg_header,
                                     .decode = &detail::decode_jpeg,
                                     .decode_part = detail::kDecodeJpegPart,
                                     .cut = detail::kCutJpeg,
                                     .encode = &detail::encode_jpeg_with_facts,
                                     .max_side = 65500,  // libjpeg's; the format's own is 65535
                                     .max_pixels = detail::kMostJpegPixels,
                                     .writes_grey = detail::kJpegWritesGrey,
                                     .keeps_profile = true,
                                     .decoder = detail::kJpegDecoder};

}  // namespace limpid
