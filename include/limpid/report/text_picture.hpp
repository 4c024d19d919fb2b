#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/utf8.hpp>
#include <limpid/io/image.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

// What the font includes, taken first so that none of it lands inside our namespace.
#include <math.h>
#include <stdlib.h>

// The font is ours alone: a program's own copy of it stays as it is.
#ifndef INCLUDE_STB_EASY_FONT_H
namespace limpid::detail {
#include <stb_easy_font.h>
}  // namespace limpid::detail
#undef INCLUDE_STB_EASY_FONT_H
#else
namespace limpid::detail {
using ::stb_easy_font_print, ::stb_easy_font_width;
}
#endif

namespace limpid {

namespace detail {

/// The text in characters that the font has, ASCII; a '?' for each other one.
inline std::string as_ascii(std::string_view text) {
  std::string ascii;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = std::max<std::size_t>(1, utf8_character(text, i).length);
    const bool is_known = length == 1 && text[i] >= ' ' && text[i] <= '~';
    ascii += is_known ? text[i] : '?';
    i += length;
  }
  return ascii;
}

/// Pixels of the font, without scale.
inline std::int64_t font_width(std::string line) { return stb_easy_font_width(line.data()); }

/// The text in lines of at most `width` pixels, broken at spaces, else between any two letters.
inline std::vector<std::string> text_lines(const std::string& text, std::int64_t width) {
  std::vector<std::string> lines(1);
  std::size_t space = 0;  // behind the last space of the line; 0: none
  for (const char letter : text) {
    auto& line = lines.back();
    line += letter;
    if (font_width(line) > width && line.size() > 1) {
      const auto cut = space > 0 && space < line.size() ? space : line.size() - 1;
      auto rest = line.substr(cut);
      line.resize(cut);
      lines.push_back(std::move(rest));
      space = 0;
    } else if (letter == ' ') {
      space = line.size();
    }
  }
  return lines;
}

}  // namespace detail

/// Dark text on white, `width` pixels wide, in as many lines as it takes; each 14 * `scale` pixels
/// high. Of characters that are not ASCII it shows a '?'.
///
/// @throws c10::ValueError for a width below 16 or a scale below 1.
inline Image text_picture(std::string_view text, std::int64_t width, std::int64_t scale = 2) {
  detail::check_at_least("text_picture: width", width, 16);
  detail::check_at_least("text_picture: scale", scale, 1);
  constexpr std::int64_t kLine = 14, kAbove = 3, kInk = 24;
  auto lines = detail::text_lines(detail::as_ascii(text), width / scale);
  const auto height = kLine * scale * static_cast<std::int64_t>(lines.size());
  auto pixels = at::full({height, width, 3}, 255, at::kByte);
  constexpr std::size_t kQuad = 64;  // bytes: four corners of (x, y, z, colour)
  std::vector<char> quads;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    quads.resize(kQuad * 32 * (lines[i].size() + 1));
    const auto count = detail::stb_easy_font_print(0, 0, lines[i].data(), nullptr, quads.data(),
                                                   static_cast<int>(quads.size()));
    for (int quad = 0; quad < count; ++quad) {
      const auto coordinate = [&](std::size_t corner, std::size_t axis) {
        float value = 0;
        std::memcpy(&value,
                    quads.data() + kQuad * static_cast<std::size_t>(quad) + 16 * corner + 4 * axis,
                    sizeof value);
        return static_cast<std::int64_t>(std::lround(value)) * scale;
      };
      const auto above = (kAbove + kLine * static_cast<std::int64_t>(i)) * scale;
      const auto top = std::min(height, above + coordinate(0, 1));
      const auto bottom = std::min(height, above + coordinate(2, 1));
      const auto left = std::min(width, coordinate(0, 0));
      const auto right = std::min(width, coordinate(2, 0));
      pixels.narrow(0, top, bottom - top).narrow(1, left, right - left).fill_(kInk);
    }
  }
  return Image{pixels};
}

}  // namespace limpid
