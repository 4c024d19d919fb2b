#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_facts.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

// What a JPEG says before its pixels, read as leniently as decoders do.
// Source: ITU-T T.81, annex B; ICC.1:2022, annex B.4 (profiles in APP2).

#ifdef LIMPID_BODIES
#include <limpid/io/byte_reader.hpp>
#include <limpid/io/colour_profile.hpp>
#include <limpid/io/exif.hpp>
#include <limpid/io/formats/jpeg_steps.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid::detail {

inline constexpr std::string_view kIccStart{"ICC_PROFILE\0", 12};

LIMPID_INLINE std::string jpeg_segment(int marker, std::string_view content);

/// A frame header begins so, but for tables (C4), extensions (C8) and arithmetic conditions (CC).
LIMPID_INLINE bool is_jpeg_frame(std::uint32_t marker);

/// Puts the pieces of a profile together, which say "piece 2 of 3".
class JpegProfile {
 public:
  void add(std::string_view segment);

  /// Empty where there is none; one byte, which is no profile, where pieces are missing.
  std::string whole() const;

 private:
  std::size_t pieces_in_all_ = 0;
  std::map<int, std::string_view> pieces_;
};

/// Of the steps in table 0, which is luma's by custom; 0 where the segment does not define it.
LIMPID_INLINE double sum_of_luma_steps(std::string_view tables);

/// Walks the segments up to the first scan; what stands between them is passed over.
LIMPID_INLINE PictureHeader read_jpeg_header(std::string_view bytes, const ImageLimits& limits);

/// Passes over all blocks of 8 x 8 that decoding may make. A photograph takes several bytes for
/// each; a file of empty scans would go on for hours.
LIMPID_INLINE std::int64_t most_jpeg_block_visits(std::size_t file_bytes);

inline constexpr const char* kTooManyScans =
    "its scans go over its pixels more often than its size explains";

/// Where JFIF's segment ends.
LIMPID_INLINE std::size_t behind_first_segment(std::string_view jpeg);

/// The file with its colour profile, put behind its first segment (JFIF's).
LIMPID_INLINE std::string with_jpeg_profile(std::string jpeg, const PictureToWrite& picture);

/// The file with its EXIF data, which stand before the profile.
LIMPID_INLINE std::string with_jpeg_exif(std::string jpeg, const PictureToWrite& picture);

LIMPID_INLINE bool is_jpeg(std::string_view start);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string jpeg_segment(int marker, std::string_view content) {
  const auto length = content.size() + 2;
  return std::string{'\xff', static_cast<char>(marker), static_cast<char>(length >> 8),
                     static_cast<char>(length & 255)} +
         std::string{content};
}

LIMPID_INLINE bool is_jpeg_frame(std::uint32_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

LIMPID_INLINE void JpegProfile::add(std::string_view segment) {
  if (segment.substr(0, kIccStart.size()) != kIccStart || segment.size() < 14) return;
  const auto number = static_cast<unsigned char>(segment[12]);
  pieces_in_all_ = static_cast<unsigned char>(segment[13]);
  pieces_.emplace(number, segment.substr(14));
}

LIMPID_INLINE std::string JpegProfile::whole() const {
  if (pieces_.empty()) return {};
  std::string profile;
  if (pieces_.size() != pieces_in_all_ || pieces_.begin()->first != 1) return "?";
  for (const auto& [number, piece] : pieces_) profile += piece;
  return profile.size() <= kMaxProfileBytes ? profile : "?";
}

LIMPID_INLINE double sum_of_luma_steps(std::string_view tables) {
  double sum = 0;
  ByteReader fields{tables};
  while (fields.left() > 0) {
    const auto which = fields.byte();
    const int bytes = which >> 4 == 0 ? 1 : 2;
    if (fields.left() < static_cast<std::size_t>(64 * bytes)) break;
    for (int i = 0; i < 64; ++i) {
      const auto step = fields.big(bytes);
      if ((which & 15) == 0) sum += step;
    }
  }
  return sum;
}

LIMPID_INLINE PictureHeader read_jpeg_header(std::string_view bytes, const ImageLimits& limits) {
  PictureHeader header;
  auto& facts = header.facts;
  JpegProfile profile;
  ByteReader reader{bytes, 2};
  bool has_frame = false, has_exif = false;
  while (true) {
    while (reader.byte() != 0xff) {
    }
    std::uint32_t marker = 0xff;
    while (marker == 0xff) marker = reader.byte();
    if (marker <= 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (marker == 0xd9 || marker == 0xda) break;
    const auto length = reader.big(2);
    TORCH_CHECK(length >= 2, "a JPEG segment of ", length, " bytes");
    const auto content = reader.take(length - 2);
    if (marker == 0xe1 && !has_exif && content.substr(0, 4) == "Exif") {
      has_exif = true;
      keep_exif(facts, content);
    } else if (marker == 0xdb) {
      if (const auto sum = sum_of_luma_steps(content); sum > 0) {
        facts.jpeg_quality = jpeg_quality_of(sum);
      }
    } else if (marker == 0xe2) {
      profile.add(content);
    } else if (is_jpeg_frame(marker)) {
      TORCH_CHECK(!has_frame, "it has two JPEG frames");
      has_frame = true;
      ByteReader fields{content};
      facts.bits = static_cast<int>(fields.byte());
      header.height = fields.big(2);
      header.width = fields.big(2);
      facts.channels = static_cast<int>(fields.byte());
      header.comes_in_passes = (marker & 3) == 2;
      TORCH_CHECK(marker != 0xc3 && facts.bits == 8, "a kind of JPEG that is not supported (",
                  marker == 0xc3 ? "lossless, " : "", facts.bits, " bits)");
      TORCH_CHECK(facts.channels == 1 || facts.channels == 3 || facts.channels == 4, "a JPEG of ",
                  facts.channels, " colours, expected 1, 3 or 4");
      limits.check_size(header.height, header.width);
    }
  }
  TORCH_CHECK(has_frame, "it ends before its pixels");
  keep_profile(facts, profile.whole());
  return header;
}

LIMPID_INLINE std::int64_t most_jpeg_block_visits(std::size_t file_bytes) {
  return (std::int64_t{1} << 25) + 8 * static_cast<std::int64_t>(file_bytes);
}

LIMPID_INLINE std::size_t behind_first_segment(std::string_view jpeg) {
  std::size_t at = 2;
  if (static_cast<unsigned char>(jpeg[3]) == 0xe0) at += 2 + ByteReader{jpeg, 4}.big(2);
  return std::min(at, jpeg.size());
}

LIMPID_INLINE std::string with_jpeg_profile(std::string jpeg, const PictureToWrite& picture) {
  if (jpeg.size() < 6 || picture.facts == nullptr) return jpeg;
  const auto& profile = picture.facts->colour_profile;
  if (profile.empty() || !profile_fits(profile, picture.channels)) return jpeg;
  constexpr std::size_t kPiece = 65519;
  const auto pieces = (profile.size() + kPiece - 1) / kPiece;
  if (pieces > 255) return jpeg;
  std::string segments;
  for (std::size_t i = 0; i < pieces; ++i) {
    const auto piece = profile.substr(i * kPiece, kPiece);
    segments += jpeg_segment(0xe2, std::string{kIccStart} + static_cast<char>(i + 1) +
                                       static_cast<char>(pieces) + piece);
  }
  return jpeg.insert(behind_first_segment(jpeg), segments);
}

LIMPID_INLINE std::string with_jpeg_exif(std::string jpeg, const PictureToWrite& picture) {
  if (jpeg.size() < 6 || picture.facts == nullptr || picture.facts->exif.empty()) return jpeg;
  const auto segment = jpeg_segment(0xe1, std::string{"Exif\0\0", 6} + picture.facts->exif);
  return jpeg.insert(behind_first_segment(jpeg), segment);
}

LIMPID_INLINE bool is_jpeg(std::string_view start) { return start.substr(0, 3) == "\xff\xd8\xff"; }

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
