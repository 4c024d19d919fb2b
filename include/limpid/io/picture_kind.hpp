#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/formats/picture_format.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/io/picture_formats.hpp>

#include <algorithm>
#include <cctype>
#endif

namespace limpid {

/// Bytes from a file's beginning that tell what it is.
inline constexpr std::size_t kBytesToKnowAPicture = 64;

/// What a file holds, by its first bytes; its name plays no part.
struct PictureKind {
  const PictureFormat* format = nullptr;  ///< null where it is no picture that limpid knows
  std::string description;  ///< "a PNG file", "a TIFF file", "text", "an empty file" ...

  /// Whether this build decodes such files.
  bool is_readable() const { return format != nullptr && format->decode != nullptr; }
};

namespace detail {

/// "a GIF file", "text" ...: what a file that is no picture of ours seems to be.
LIMPID_INLINE std::string describe_bytes(std::string_view bytes);

}  // namespace detail

/// What a file is that begins so. @param start  its first `kBytesToKnowAPicture` bytes or more, or
/// all of them
LIMPID_INLINE PictureKind picture_kind(std::string_view start);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string describe_bytes(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  const auto starts = [&](std::string_view start, std::size_t at = 0) {
    return bytes.size() >= at + start.size() && bytes.substr(at, start.size()) == start;
  };
  if (starts("GIF8")) return "a GIF file";
  if (starts({"II*\0", 4}) || starts({"MM\0*", 4}) || starts({"II+\0", 4}) ||
      starts({"MM\0+", 4})) {
    return "a TIFF file";
  }
  if (starts("ftyp", 4)) {
    const auto brand = bytes.size() >= 12 ? bytes.substr(8, 4) : std::string_view{};
    if (brand == "avif" || brand == "avis") return "an AVIF file";
    if (brand == "heic" || brand == "heix" || brand == "hevc" || brand == "mif1" ||
        brand == "msf1" || brand == "heim") {
      return "a HEIC file";
    }
    return "a video file";
  }
  if (starts({"\0\0\0\x0cJXL ", 8}) || starts("\xff\x0a")) return "a JPEG XL file";
  if (starts({"\0\0\0\x0cjP  ", 8}) || starts("\xff\x4f\xff\x51")) return "a JPEG 2000 file";
  if (starts("8BPS")) return "a Photoshop file";
  if (starts("\x76\x2f\x31\x01")) return "an OpenEXR file";
  if (starts("#?RADIANCE")) return "a Radiance file";
  if (starts("%PDF")) return "a PDF file";
  if (starts("PK\x03\x04")) return "a zip file";
  if (starts("\x1f\x8b")) return "a gzip file";
  if (starts("Rar!")) return "a RAR file";
  if (starts("7z\xbc\xaf")) return "a 7z file";
  if (starts("\x93NUMPY")) return "a NumPy file";
  if (starts("version https://git-lfs")) return "a git-lfs pointer (run 'git lfs pull')";
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
      std::isspace(static_cast<unsigned char>(bytes[2])) != 0) {
    return "a PNM file that is not binary PGM or PPM (P5, P6)";
  }
  auto text = std::string{bytes.substr(0, kBytesToKnowAPicture)};
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != text.npos &&
      (text.compare(first, 5, "<html") == 0 || text.compare(first, 9, "<!doctype") == 0)) {
    return "an HTML page";
  }
  if (first != text.npos &&
      (text.compare(first, 4, "<svg") == 0 || text.compare(first, 5, "<?xml") == 0)) {
    return "an XML or SVG file";
  }
  const bool is_text = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 32 ? byte != 127 : byte == '\n' || byte == '\r' || byte == '\t';
  });
  return is_text ? "a text file" : "a file of unknown data";
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE PictureKind picture_kind(std::string_view start) {
  for (const auto* format : kPictureFormats) {
    if (!format->recognises(start)) continue;
    auto description = "a " + std::string{format->name} + " file";
    if (!format->missing.empty()) description += " (" + std::string{format->missing} + ")";
    return {format, std::move(description)};
  }
  return {nullptr, detail::describe_bytes(start)};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
