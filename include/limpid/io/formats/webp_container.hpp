#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_facts.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// The container of a WebP, and what stands in it beside the pixels.
// Source: RFC 9649.

#ifdef LIMPID_BODIES
#include <limpid/io/byte_reader.hpp>
#include <limpid/io/colour_profile.hpp>
#include <limpid/io/exif.hpp>

#include <c10/util/Exception.h>

#include <tuple>
#endif

namespace limpid::detail {

LIMPID_INLINE std::string little_endian(std::uint64_t value, int count);

LIMPID_INLINE std::string riff_chunk(std::string_view type, std::string_view content);

/// The chunk of pixels in a WebP file, and whether it is of the lossless kind.
struct WebpPixels {
  std::string_view chunk;
  bool is_lossless = false;
};

/// Size of the canvas and facts; `pixels`, where it is given, gets the chunk of pixels.
LIMPID_INLINE PictureHeader read_webp_container(std::string_view bytes, const ImageLimits& limits,
                                                WebpPixels* pixels = nullptr);

LIMPID_INLINE PictureHeader read_webp_header(std::string_view bytes, const ImageLimits& limits);

/// A file of pixels alone, with a colour profile before them and EXIF data behind.
LIMPID_INLINE std::string with_webp_profile(std::string webp, const PictureToWrite& picture);

LIMPID_INLINE bool is_webp(std::string_view start);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string little_endian(std::uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
  return bytes;
}

LIMPID_INLINE std::string riff_chunk(std::string_view type, std::string_view content) {
  auto chunk = std::string{type} + little_endian(content.size(), 4) + std::string{content};
  if (content.size() % 2 == 1) chunk += '\0';
  return chunk;
}

LIMPID_INLINE PictureHeader read_webp_container(std::string_view bytes, const ImageLimits& limits,
                                                WebpPixels* pixels) {
  PictureHeader header;
  ByteReader file{bytes, 4};
  const std::size_t size = file.little(4);
  file.skip(4);
  TORCH_CHECK(size >= 4, "a malformed WebP header");
  file.need(size - 4);
  std::string profile;
  bool has_pixels = false;
  const auto end = 8 + size;
  while (file.at() + 8 <= end) {
    const auto start = file.at();
    const auto type = file.take(4);
    const auto length = file.little(4);
    const auto content = file.take(length);
    if (length % 2 == 1 && file.left() > 0) file.skip(1);
    ByteReader fields{content};
    if (type == "VP8X") {
      const auto flags = fields.byte();
      TORCH_CHECK((flags & 2) == 0, "an animated WebP");
      fields.skip(3);
      header.has_alpha = (flags & 16) != 0;
      header.width = fields.little(3) + 1;
      header.height = fields.little(3) + 1;
    } else if (type == "ICCP") {
      profile = length <= kMaxProfileBytes ? content : "?";
    } else if (type == "EXIF") {
      keep_exif(header.facts, content);
    } else if ((type == "VP8 " || type == "VP8L") && !has_pixels) {
      has_pixels = true;
      std::int64_t width = 0, height = 0;
      if (type == "VP8 ") {
        fields.skip(6);
        width = fields.little(2) & 0x3fff;
        height = fields.little(2) & 0x3fff;
      } else {
        fields.skip(1);
        const auto sides = fields.little(4);
        width = (sides & 0x3fff) + 1;
        height = (sides >> 14 & 0x3fff) + 1;
        header.has_alpha = header.has_alpha || (sides >> 28 & 1) != 0;
      }
      TORCH_CHECK(header.width == 0 || (header.width == width && header.height == height),
                  "it is damaged (two sizes)");
      header.width = width;
      header.height = height;
      if (pixels != nullptr) *pixels = {bytes.substr(start, file.at() - start), type == "VP8L"};
    }
  }
  TORCH_CHECK(has_pixels, "it holds no pixels");
  limits.check_size(header.height, header.width);
  keep_profile(header.facts, std::move(profile));
  return header;
}

LIMPID_INLINE PictureHeader read_webp_header(std::string_view bytes, const ImageLimits& limits) {
  return read_webp_container(bytes, limits);
}

LIMPID_INLINE std::string with_webp_profile(std::string webp, const PictureToWrite& picture) {
  if (webp.size() < 20 || picture.facts == nullptr) return webp;
  const auto& [profile, exif] = std::tie(picture.facts->colour_profile, picture.facts->exif);
  const bool has_profile = !profile.empty() && profile_fits(profile, 3);
  if (!has_profile && exif.empty()) return webp;
  constexpr std::uint32_t kHasProfile = 32, kHasExif = 8;
  const auto flags = (has_profile ? kHasProfile : 0) | (exif.empty() ? 0 : kHasExif);
  auto body =
      "WEBP" +
      riff_chunk("VP8X", little_endian(flags, 4) +
                             little_endian(static_cast<std::uint64_t>(picture.width - 1), 3) +
                             little_endian(static_cast<std::uint64_t>(picture.height - 1), 3));
  if (has_profile) body += riff_chunk("ICCP", profile);
  body += webp.substr(12);
  if (!exif.empty()) body += riff_chunk("EXIF", exif);
  return riff_chunk("RIFF", body);
}

LIMPID_INLINE bool is_webp(std::string_view start) {
  return start.size() >= 12 && start.substr(0, 4) == "RIFF" && start.substr(8, 4) == "WEBP";
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
