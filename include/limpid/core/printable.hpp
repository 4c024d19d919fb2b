#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/utf8.hpp>

#include <cstdio>
#endif

namespace limpid {

namespace detail {

/// Whether a terminal shows the character and does nothing else. Control characters move the
/// cursor or change settings; the marks of writing direction make a name read as another one.
LIMPID_INLINE bool is_shown(std::uint32_t code);

LIMPID_INLINE std::string escaped_bytes(std::string_view bytes);

}  // namespace detail

/// Text of unknown origin, such as a file's name, safe to show in a terminal: what is not UTF-8,
/// control characters (newlines too) and marks of writing direction become \xNN, and of a long text
/// the beginning is kept.
///
/// @param longest  bytes of `text` that are kept, to the end of a character
LIMPID_INLINE std::string printable(std::string_view text, std::size_t longest = 200);

/// A text of several lines with each of them `printable`, whole.
/// @param indent  before each line after the first that does not begin with a space, so that a
///                newline in a name cannot begin a line of its own
LIMPID_INLINE std::string printable_lines(std::string_view text, std::string_view indent = "  ");

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE bool is_shown(std::uint32_t code) {
  const bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool is_direction = code == 0x061c || code == 0x200e || code == 0x200f ||
                            (code >= 0x202a && code <= 0x202e) ||
                            (code >= 0x2066 && code <= 0x2069);
  const bool is_line_end = code == 0x2028 || code == 0x2029;
  return !is_control && !is_direction && !is_line_end;
}

LIMPID_INLINE std::string escaped_bytes(std::string_view bytes) {
  std::string shown;
  for (const unsigned char byte : bytes) {
    char escaped[5];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
    shown += escaped;
  }
  return shown;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE std::string printable(std::string_view text, std::size_t longest) {
  std::string shown;
  std::size_t i = 0;
  while (i < text.size() && i < longest) {
    const auto character = utf8_character(text, i);
    const auto bytes = text.substr(i, character.length == 0 ? 1 : character.length);
    const bool is_plain = character.length > 0 && detail::is_shown(character.code);
    shown += is_plain ? std::string{bytes} : detail::escaped_bytes(bytes);
    i += bytes.size();
  }
  return i < text.size() ? shown + "..." : shown;
}

LIMPID_INLINE std::string printable_lines(std::string_view text, std::string_view indent) {
  std::string shown;
  for (std::size_t i = 0; i <= text.size();) {
    const auto line = text.substr(i, text.find('\n', i) - i);
    if (i > 0) shown += '\n';
    if (i > 0 && !line.empty() && line.front() != ' ') shown += indent;
    shown += printable(line, line.size());
    i += line.size() + 1;
  }
  return shown;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
