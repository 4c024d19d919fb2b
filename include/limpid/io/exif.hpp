#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/byte_reader.hpp>
#include <limpid/io/picture_facts.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace limpid::detail {

/// The TIFF structure of EXIF data. What lies outside of it is as if it were not there.
class ExifReader {
 public:
  /// @param exif  a TIFF structure, with or without "Exif\0\0" before it
  explicit ExifReader(std::string_view exif);

  /// The structure itself; empty where it is none.
  std::string_view tiff() const { return tiff_; }

  /// Where the four bytes lie that say where the next directory begins; 0: nowhere.
  std::size_t link_behind(std::uint32_t directory) const;

  /// Writes a number of two bytes as the structure has them.
  std::string short_number(int value) const;

  /// Where the first directory begins; 0: there is none.
  std::uint32_t first_directory() const;

  /// The four bytes in which the directory's entry `tag` has its value, or says where it is.
  std::optional<std::string_view> entry(std::uint32_t directory, std::uint32_t tag) const;

  /// A number of `bytes` bytes in an entry; 0 where the directory has no such entry.
  std::uint32_t number_of(std::uint32_t directory, std::uint32_t tag, int bytes) const;

 private:
  std::uint32_t number(std::size_t at, int count) const;

  std::string_view tiff_;
  bool big_ = false;
};

/// The EXIF data of a picture that has been turned upright: their orientation says so, and the
/// thumbnail, which shows the picture as it was, is no longer found. Empty where there are none.
LIMPID_INLINE std::string upright_exif(std::string_view exif);

/// Keeps what EXIF data say of a picture: its orientation (EXIF 2.3, sec. 4.6.4), and whether its
/// colours are Adobe RGB's. Cameras say that by an interoperability index of R03 (DCF 2.0, sec.
/// 4.3.2), where a colour profile would say it for everybody; some by a colour space of 2.
LIMPID_INLINE void keep_exif(PictureFacts& facts, std::string_view exif);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE ExifReader::ExifReader(std::string_view exif) {
  constexpr std::string_view kStart{"Exif\0\0", 6};
  tiff_ = exif.substr(0, 6) == kStart ? exif.substr(6) : exif;
  big_ = tiff_.substr(0, 2) == "MM";
  if (tiff_.size() < 8 || (!big_ && tiff_.substr(0, 2) != "II")) tiff_ = {};
}

LIMPID_INLINE std::size_t ExifReader::link_behind(std::uint32_t directory) const {
  if (directory == 0 || directory > tiff_.size() || tiff_.size() - directory < 2) return 0;
  const auto at = std::size_t{directory} + 2 + 12 * std::size_t{number(directory, 2)};
  return at + 4 <= tiff_.size() ? at : 0;
}

LIMPID_INLINE std::string ExifReader::short_number(int value) const {
  const std::string bytes{static_cast<char>(value >> 8), static_cast<char>(value & 255)};
  return big_ ? bytes : std::string{bytes.rbegin(), bytes.rend()};
}

LIMPID_INLINE std::uint32_t ExifReader::first_directory() const {
  return tiff_.empty() ? 0 : number(4, 4);
}

LIMPID_INLINE std::optional<std::string_view> ExifReader::entry(std::uint32_t directory,
                                                                std::uint32_t tag) const {
  if (directory == 0 || directory > tiff_.size() || tiff_.size() - directory < 2) return {};
  const std::size_t entries = number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const auto at = directory + 2 + 12 * i;
    if (tiff_.size() < at + 12) return {};
    if (number(at, 2) == tag) return tiff_.substr(at + 8, 4);
  }
  return {};
}

LIMPID_INLINE std::uint32_t ExifReader::number_of(std::uint32_t directory, std::uint32_t tag,
                                                  int bytes) const {
  const auto value = entry(directory, tag);
  if (!value) return 0;
  ByteReader reader{*value};
  return big_ ? reader.big(bytes) : reader.little(bytes);
}

LIMPID_INLINE std::uint32_t ExifReader::number(std::size_t at, int count) const {
  ByteReader reader{tiff_, at};
  return big_ ? reader.big(count) : reader.little(count);
}

LIMPID_INLINE std::string upright_exif(std::string_view exif) {
  constexpr std::size_t kMostBytes = 65527;  // of a JPEG's segment, behind "Exif\0\0"
  const ExifReader reader{exif};
  std::string tiff{reader.tiff()};
  if (tiff.size() > kMostBytes) return {};
  const auto first = reader.first_directory();
  if (const auto value = reader.entry(first, 0x0112)) {
    const auto at = static_cast<std::size_t>(value->data() - reader.tiff().data());
    tiff.replace(at, 2, reader.short_number(1));
  }
  if (const auto at = reader.link_behind(first); at != 0) tiff.replace(at, 4, 4, '\0');
  return tiff;
}

LIMPID_INLINE void keep_exif(PictureFacts& facts, std::string_view exif) {
  const ExifReader reader{exif};
  facts.exif = upright_exif(exif);
  const auto first = reader.first_directory();
  const auto orientation = reader.number_of(first, 0x0112, 2);
  facts.orientation = orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  const auto camera = reader.number_of(first, 0x8769, 4);
  const auto index = reader.entry(reader.number_of(camera, 0xa005, 4), 0x0001);
  facts.exif_says_adobe_rgb =
      reader.number_of(camera, 0xa001, 2) == 2 || (index && index->substr(0, 3) == "R03");
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
