#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_facts.hpp>

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// The container of a PNG, and what stands in it beside the pixels.
// Source: "Portable Network Graphics (PNG) Specification (Third Edition)", W3C.

#ifdef LIMPID_BODIES
#include <limpid/core/checksum.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/io/byte_reader.hpp>
#include <limpid/io/colour_profile.hpp>
#include <limpid/io/exif.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdlib>
#endif

namespace limpid::detail {

inline constexpr std::string_view kPngSignature{"\x89PNG\r\n\x1a\n", 8};

/// A whole chunk: length, type, content, checksum.
LIMPID_INLINE std::string png_chunk(std::string_view type, std::string_view content);

/// What zlib data unpack to, at most `most` bytes; empty where they are damaged or longer.
LIMPID_INLINE std::string unpacked(std::string_view packed, std::size_t most);

LIMPID_INLINE std::string packed(std::string_view text);

/// Collects what the chunks say of colours. What stands first in the specification's order counts:
/// cICP, iCCP, sRGB, then gAMA and cHRM.
class PngColours {
 public:
  void add(std::string_view type, std::string_view content);

  void finish(PictureFacts& facts);

 private:
  void add_chunk(std::string_view type, std::string_view content);

  std::string profile_, chunks_;
  bool has_profile_ = false;
  bool gamma_differs_ = false;
  bool primaries_differ_ = false;
  bool is_srgb_ = false;
  bool has_code_points_ = false;
  bool code_points_differ_ = false;
};

/// The fields of IHDR that matter here.
struct PngShape {
  int bits = 8;
  int colour_type = 0;  ///< 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
  bool is_interlaced = false;

  std::int64_t samples_a_pixel() const;
};

LIMPID_INLINE PngShape png_shape(std::string_view bytes);

/// Walks all chunks: lengths within the file, each checksum, IHDR first, IDAT before IEND.
LIMPID_INLINE PictureHeader read_png_header(std::string_view bytes, const ImageLimits& limits);

/// What the pixels of a PNG unpack to, before any conversion.
LIMPID_INLINE std::int64_t png_raw_bytes(const PictureHeader& header, const PngShape& shape);

/// The file with its EXIF data and what its facts say of colours, put behind its header.
LIMPID_INLINE std::string with_png_colours(std::string png, const PictureToWrite& picture);

/// A file that ends within the signature is a PNG that was cut.
LIMPID_INLINE bool is_png(std::string_view start);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string png_chunk(std::string_view type, std::string_view content) {
  const auto number = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
    return bytes;
  };
  const auto body = std::string{type} + std::string{content};
  return number(static_cast<std::uint32_t>(content.size())) + body +
         number(crc32(body.data(), body.size()));
}

LIMPID_INLINE std::string unpacked(std::string_view packed, std::size_t most) {
  std::string text(std::min(most, std::size_t{1} << 16), '\0');
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::size_t made = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    if (made == text.size()) {
      if (made == most) break;
      text.resize(std::min(most, 2 * made));
    }
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + made);
    stream.avail_out = static_cast<uInt>(text.size() - made);
    status = inflate(&stream, Z_NO_FLUSH);
    made = text.size() - stream.avail_out;
    if (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0) break;
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) return {};
  text.resize(made);
  return text;
}

LIMPID_INLINE std::string packed(std::string_view text) {
  auto size = ::compressBound(static_cast<uLong>(text.size()));
  std::string bytes(size, '\0');
  const auto status = ::compress2(reinterpret_cast<Bytef*>(bytes.data()), &size,
                                  reinterpret_cast<const Bytef*>(text.data()),
                                  static_cast<uLong>(text.size()), Z_DEFAULT_COMPRESSION);
  if (status != Z_OK) return {};
  bytes.resize(size);
  return bytes;
}

LIMPID_INLINE void PngColours::add(std::string_view type, std::string_view content) {
  if (type == "iCCP") {
    if (has_profile_) return;  // a file has one; of more the first counts
    const auto name_end = content.find('\0');
    has_profile_ = true;
    if (name_end > 79 || content.size() < name_end + 2) return;
    profile_ = unpacked(content.substr(name_end + 2), kMaxProfileBytes);
  } else if (type == "gAMA" && content.size() == 4) {
    const auto gamma = static_cast<std::int64_t>(ByteReader{content}.big(4));
    gamma_differs_ = std::abs(gamma - 45455) > 500;
    add_chunk(type, content);
  } else if (type == "cHRM" && content.size() == 32) {
    constexpr std::int64_t kSrgb[] = {31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000};
    ByteReader reader{content};
    for (const auto expected : kSrgb) {
      const auto found = static_cast<std::int64_t>(reader.big(4));
      primaries_differ_ = primaries_differ_ || std::abs(found - expected) > 200;
    }
    add_chunk(type, content);
  } else if (type == "sRGB" && content.size() == 1) {
    is_srgb_ = true;
    add_chunk(type, content);
  } else if (type == "cICP" && content.size() == 4) {
    code_points_differ_ = content.substr(0, 2) != "\x01\x0d";
    has_code_points_ = true;
    add_chunk(type, content);
  }
}

LIMPID_INLINE void PngColours::finish(PictureFacts& facts) {
  if (has_profile_ && profile_.empty()) {
    facts.losses.emplace_back("a colour profile that is damaged or of other colours is left out");
  }
  keep_profile(facts, std::move(profile_));
  if (!facts.colour_profile.empty() && !has_code_points_) return;
  facts.png_colours = chunks_;
  facts.is_beyond_srgb =
      has_code_points_ ? code_points_differ_ : !is_srgb_ && (gamma_differs_ || primaries_differ_);
}

LIMPID_INLINE void PngColours::add_chunk(std::string_view type, std::string_view content) {
  if (chunks_.find(type) == chunks_.npos) chunks_ += png_chunk(type, content);
}

LIMPID_INLINE std::int64_t PngShape::samples_a_pixel() const {
  return colour_type == 2 ? 3 : colour_type == 4 ? 2 : colour_type == 6 ? 4 : 1;
}

LIMPID_INLINE PngShape png_shape(std::string_view bytes) {
  ByteReader reader{bytes, 24};
  PngShape shape;
  shape.bits = static_cast<int>(reader.byte());
  shape.colour_type = static_cast<int>(reader.byte());
  reader.skip(2);
  shape.is_interlaced = reader.byte() != 0;
  const bool is_known = shape.colour_type == 0   ? (0b1'0000'0001'0001'0110 >> shape.bits & 1) != 0
                        : shape.colour_type == 3 ? (0b1'0001'0110 >> shape.bits & 1) != 0
                        : shape.colour_type == 2 || shape.colour_type == 4 || shape.colour_type == 6
                            ? shape.bits == 8 || shape.bits == 16
                            : false;
  TORCH_CHECK(shape.bits >= 1 && shape.bits <= 16 && is_known, "a kind of PNG that there is not (",
              shape.bits, " bits, colour type ", shape.colour_type, ")");
  return shape;
}

LIMPID_INLINE PictureHeader read_png_header(std::string_view bytes, const ImageLimits& limits) {
  PictureHeader header;
  auto& facts = header.facts;
  PngColours colours;
  ByteReader reader{bytes, kPngSignature.size()};
  bool has_data = false, has_exif = false;
  for (bool is_first = true;; is_first = false) {
    const auto length = reader.big(4);
    const auto type_at = reader.at();
    const auto type = reader.take(4);
    TORCH_CHECK(is_first == (type == "IHDR"),
                is_first ? "its first chunk is not a PNG header" : "it has two PNG headers");
    TORCH_CHECK(!is_first || length == 13, "its first chunk is not a PNG header");
    const auto content = reader.take(length);
    const auto checksum = reader.big(4);
    if (is_first) {
      ByteReader fields{content};
      header.width = fields.big(4);
      header.height = fields.big(4);
      limits.check_size(header.height, header.width);
      const auto shape = png_shape(bytes);
      facts.bits = std::max(shape.bits, 8);
      facts.channels = shape.colour_type == 0 || shape.colour_type == 4 ? 1 : 3;
      header.has_alpha = shape.colour_type >= 4;
      header.comes_in_passes = shape.is_interlaced;
    }
    TORCH_CHECK(checksum == crc32(bytes.data() + type_at, 4 + content.size()),
                "it is damaged (the checksum of its chunk '", printable(type), "' does not hold)");
    has_data = has_data || (type == "IDAT" && length > 0);
    if (type == "IEND") break;
    if (type == "tRNS") header.has_alpha = true;
    if (type == "eXIf" && !has_exif) {
      has_exif = true;
      keep_exif(facts, content);
    }
    if (type == "acTL" && content.size() == 8 && ByteReader{content}.big(4) > 1) {
      facts.losses.emplace_back("of an animation the first picture is read");
    }
    if (!has_data) colours.add(type, content);
  }
  TORCH_CHECK(has_data, "it holds no pixels (no IDAT chunk)");
  colours.finish(facts);
  return header;
}

LIMPID_INLINE std::int64_t png_raw_bytes(const PictureHeader& header, const PngShape& shape) {
  return header.height * ((header.width * shape.samples_a_pixel() * shape.bits + 7) / 8 + 1);
}

LIMPID_INLINE std::string with_png_colours(std::string png, const PictureToWrite& picture) {
  if (png.size() < 33 || picture.facts == nullptr) return png;
  auto chunks = picture.facts->png_colours;
  const auto& profile = picture.facts->colour_profile;
  if (!profile.empty() && profile_fits(profile, picture.channels)) {
    chunks += png_chunk("iCCP", std::string{"ICC profile\0\0", 13} + packed(profile));
  }
  if (!picture.facts->exif.empty()) chunks += png_chunk("eXIf", picture.facts->exif);
  return chunks.empty() ? png : png.insert(33, chunks);
}

LIMPID_INLINE bool is_png(std::string_view start) {
  return start.size() >= 3 && start.substr(0, 8) == kPngSignature.substr(0, start.size());
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
