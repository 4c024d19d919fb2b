#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid::detail {

/// How many bytes of `text` from `at` form one character of UTF-8; 0 where they form none.
inline std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto left = text.size() - at;
  if (byte(0) < 0x80) return 1;
  std::size_t length = 0;
  std::uint32_t code = 0, least = 0;
  if ((byte(0) & 0xe0) == 0xc0) {
    length = 2, code = byte(0) & 0x1fu, least = 0x80;
  } else if ((byte(0) & 0xf0) == 0xe0) {
    length = 3, code = byte(0) & 0x0fu, least = 0x800;
  } else if ((byte(0) & 0xf8) == 0xf0) {
    length = 4, code = byte(0) & 0x07u, least = 0x10000;
  }
  if (length == 0 || length > left) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fu);
  }
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  return code >= least && code <= 0x10ffff && !is_surrogate ? length : 0;
}

/// Text that HTML shows as it is, in elements and in quoted attributes. Bytes that are not UTF-8,
/// and control characters but tab and newline, become U+FFFD.
inline std::string escaped(std::string_view text) {
  std::string html;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text, i);
    const char c = text[i];
    if (length == 0 || (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) &&
                        c != '\t' && c != '\n')) {
      html += "\xef\xbf\xbd";
    } else if (c == '&') {
      html += "&amp;";
    } else if (c == '<') {
      html += "&lt;";
    } else if (c == '>') {
      html += "&gt;";
    } else if (c == '"') {
      html += "&quot;";
    } else if (c == '\'') {
      html += "&#39;";
    } else {
      html += text.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
  return html;
}

/// Base64 with padding. Source: RFC 4648, sec. 4.
inline std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

}  // namespace limpid::detail
