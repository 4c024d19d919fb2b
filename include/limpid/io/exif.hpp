#pragma once

#include <limpid/io/byte_reader.hpp>

#include <cstddef>
#include <string_view>

namespace limpid::detail {

/// The orientation that EXIF data names (EXIF 2.3, sec. 4.6.4), 1 where it names none.
/// @param exif  a TIFF structure, with or without "Exif\0\0" before it
inline int exif_orientation(std::string_view exif) {
  constexpr std::string_view kStart{"Exif\0\0", 6};
  const auto tiff = exif.substr(0, 6) == kStart ? exif.substr(6) : exif;
  const bool big = tiff.substr(0, 2) == "MM";
  if (tiff.size() < 8 || (!big && tiff.substr(0, 2) != "II")) return 1;
  const auto number = [&](std::size_t at, int count) {
    ByteReader reader{tiff, at};
    return big ? reader.big(count) : reader.little(count);
  };
  const std::size_t directory = number(4, 4);
  if (directory > tiff.size() || tiff.size() - directory < 2) return 1;
  const std::size_t entries = number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const auto entry = directory + 2 + 12 * i;
    if (tiff.size() < entry + 12) return 1;
    if (number(entry, 2) != 0x0112) continue;
    const auto value = number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace limpid::detail
