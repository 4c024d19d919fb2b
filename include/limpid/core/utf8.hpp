#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

/// One character of UTF-8.
struct Utf8Character {
  std::size_t length = 0;  ///< its bytes; 0 where the bytes form no character
  std::uint32_t code = 0;  ///< its number in Unicode
};

/// The character of `text` that begins at byte `at`. What is cut off, longer than needed, beyond
/// U+10FFFF or half of a surrogate pair is none.
inline Utf8Character utf8_character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  if (at >= text.size()) return {};
  if (byte(0) < 0x80) return {1, byte(0)};
  std::size_t length = 0;
  std::uint32_t code = 0, least = 0;
  if ((byte(0) & 0xe0) == 0xc0) {
    length = 2, code = byte(0) & 0x1fu, least = 0x80;
  } else if ((byte(0) & 0xf0) == 0xe0) {
    length = 3, code = byte(0) & 0x0fu, least = 0x800;
  } else if ((byte(0) & 0xf8) == 0xf0) {
    length = 4, code = byte(0) & 0x07u, least = 0x10000;
  }
  if (length == 0 || length > text.size() - at) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  return code >= least && code <= 0x10ffff && !is_surrogate ? Utf8Character{length, code}
                                                            : Utf8Character{};
}

/// Whether `text` is well-formed UTF-8 without NUL, as names in JSON must be.
inline bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto character = utf8_character(text, i);
    if (character.length == 0 || character.code == 0) return false;
    i += character.length;
  }
  return true;
}

/// `text` with U+FFFD for each byte that is part of no character: the form that a file name takes
/// in JSON and HTML.
inline std::string as_utf8(std::string_view text) {
  std::string valid;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_character(text, i).length;
    valid += length == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(i, length);
    i += length == 0 ? 1 : length;
  }
  return valid;
}

}  // namespace limpid
