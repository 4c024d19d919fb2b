#pragma once

#include <limpid/core/check.hpp>
#include <limpid/io/image.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/report/embedded_picture.hpp>
#include <limpid/report/html.hpp>
#include <limpid/report/page_style.hpp>
#include <limpid/report/picture_strip.hpp>
#include <limpid/report/plot.hpp>
#include <limpid/report/report_parts.hpp>
#include <limpid/report/text_picture.hpp>
#include <limpid/version.hpp>

#include <ATen/ops/full.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// A pair on a sheet, of one size.
struct SheetPair {
  std::string name;
  Image degraded;
  Image target;
};

/// Pairs of one source, under a title.
struct SheetPart {
  std::string title;
  std::string text{};  ///< a line below the title: what the source says of itself
  std::vector<SheetPair> pairs{};
};

struct SheetOptions {
  std::int64_t width = 360;  ///< of one picture, pixels; larger ones are shrunk, none is enlarged
  std::int64_t columns = 1;  ///< pairs side by side (pictures only; a page has one)
  std::int64_t crop = 0;     ///< side of the part from the middle that is shown; 0: the whole
  int jpeg_quality = 90;     ///< of pictures in a page, 1..100
  std::string title = "Before and after";  ///< of a page
};

namespace detail {

/// What a sheet shows of a picture.
inline Image sheet_part_of(const Image& image, std::int64_t crop) {
  if (crop == 0) return image;
  const auto height = std::min(crop, image.height());
  const auto width = std::min(crop, image.width());
  return image.crop((image.height() - height) / 2, (image.width() - width) / 2, height, width);
}

/// "27.31 dB", of the whole pair.
inline std::string sheet_psnr(const SheetPair& pair) {
  const auto psnr = PSNR<>{}(pair.degraded.unit(), pair.target.unit());
  return std::isinf(psnr) ? std::string{"identical"} : fixed(psnr, 2) + " dB";
}

inline std::string sheet_size(const SheetPair& pair) {
  return std::to_string(pair.target.width()) + " x " + std::to_string(pair.target.height());
}

/// The picture shrunk to `width` and as much height, with white to the right and below, so that all
/// of a row have one size.
inline Image sheet_cell(const Image& image, std::int64_t height, std::int64_t width) {
  auto cell = at::full({height, width, 3}, 255, at::kByte);
  cell.narrow(0, 0, image.height()).narrow(1, 0, image.width()).copy_(image.pixels());
  return Image{cell};
}

/// A line of text over a picture; text that does not fit ends in "..".
inline Image sheet_label(std::string text, std::int64_t width) {
  constexpr std::int64_t kScale = 2;
  text = as_ascii(text);
  if (font_width(text) > width / kScale) {
    while (text.size() > 1 && font_width(text + "..") > width / kScale) text.pop_back();
    text += "..";
  }
  return text_picture(text, width, kScale);
}

/// Pairs beside each other, each under its name, and white where there are fewer than `columns`.
inline Image sheet_row(const SheetPair* pairs, std::size_t count, const SheetOptions& options) {
  std::vector<std::pair<Image, Image>> shown;
  std::int64_t height = 1;
  for (std::size_t i = 0; i < count; ++i) {
    const auto small = [&](const Image& image) {
      return sheet_part_of(image, options.crop).shrunk_into(options.width, options.width);
    };
    shown.emplace_back(small(pairs[i].degraded), small(pairs[i].target));
    height = std::max(height, shown.back().first.height());
  }
  std::vector<Image> cells;
  for (std::size_t i = 0; i < static_cast<std::size_t>(options.columns); ++i) {
    const bool is_pair = i < count;
    const auto cell = [&](const std::string& label, const Image* image) {
      const auto blank = at::full({height, options.width, 3}, 255, at::kByte);
      return picture_column(
          {sheet_label(label, options.width),
           image == nullptr ? Image{blank} : sheet_cell(*image, height, options.width)},
          0);
    };
    const auto before = is_pair ? pairs[i].name + ", " + sheet_psnr(pairs[i]) : std::string{};
    const auto after = is_pair ? "target, " + sheet_size(pairs[i]) : std::string{};
    cells.push_back(picture_strip({cell(before, is_pair ? &shown[i].first : nullptr),
                                   cell(after, is_pair ? &shown[i].second : nullptr)},
                                  4));
  }
  return picture_strip(cells, 16);
}

inline void check_sheet(const std::vector<SheetPart>& parts, const SheetOptions& options) {
  check_at_least("pair_sheet: width", options.width, 64);
  check_at_least("pair_sheet: columns", options.columns, 1);
  check_at_least("pair_sheet: crop", options.crop, 0);
  const auto has_pairs = [](const SheetPart& part) { return !part.pairs.empty(); };
  TORCH_CHECK_VALUE(std::any_of(parts.begin(), parts.end(), has_pairs),
                    "pair_sheet: expected at least one pair to show, got none");
}

inline std::string sheet_pair_html(const SheetPair& shown, const SheetOptions& options) {
  const ReportOptions embedding{.max_side = std::max(options.width, std::int64_t{64}),
                                .jpeg_quality = options.jpeg_quality};
  const auto view = [&](const Image& image, const std::string& what) {
    return "<div><span class=\"label\">" + what + "</span>" +
           embedded_picture(sheet_part_of(image, options.crop), what + ": " + shown.name,
                            embedding) +
           "</div>\n";
  };
  return "<figure class=\"picture card\">\n<figcaption><strong>" + escaped(shown.name) +
         "</strong> <span class=\"number\">" + sheet_size(shown) + ", PSNR RGB " +
         sheet_psnr(shown) + "</span></figcaption>\n<div class=\"two\">\n" +
         view(shown.degraded, "degraded") + view(shown.target, "target") + "</div>\n</figure>\n";
}

inline constexpr std::string_view kSheetStyle = R"css(
.two { display: grid; gap: 12px; grid-template-columns: 1fr; }
.two img { display: block; max-width: 100%; height: auto; border-radius: 6px; }
@media (min-width: 600px) { .two { grid-template-columns: 1fr 1fr; } }
)css";

}  // namespace detail

/// Degraded beside target, in rows under titles, as one picture: to look at a set or a damage.
///
/// Source: the contact sheets of photographers.
/// @throws c10::ValueError for options out of range, and where there is no pair.
inline Image pair_sheet(const std::vector<SheetPart>& parts, const SheetOptions& options = {}) {
  detail::check_sheet(parts, options);
  const auto columns = static_cast<std::size_t>(options.columns);
  const auto width = options.columns * (2 * options.width + 4 + 16) - 16;
  std::vector<Image> rows;
  for (const auto& part : parts) {
    rows.push_back(text_picture(part.title, width));
    if (!part.text.empty()) rows.push_back(text_picture(part.text, width, 1));
    for (std::size_t i = 0; i < part.pairs.size(); i += columns) {
      rows.push_back(detail::sheet_row(part.pairs.data() + i,
                                       std::min(columns, part.pairs.size() - i), options));
    }
  }
  return picture_column(rows, 8);
}

/// The same as the text of one HTML page that needs nothing else: side by side on desktops, below
/// each other on phones.
///
/// @throws c10::ValueError as `pair_sheet`.
inline std::string pair_sheet_html(const std::vector<SheetPart>& parts,
                                   const SheetOptions& options = {}) {
  using detail::escaped;
  detail::check_sheet(parts, options);
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'\">\n<title>" +
      escaped(options.title) + "</title>\n<style>" + std::string{detail::kPageStyle} +
      std::string{detail::kSheetStyle} + "</style>\n</head>\n<body>\n<header>\n<h1>" +
      escaped(options.title) + "</h1>\n</header>\n<main>\n";
  for (const auto& part : parts) {
    html += "<h2>" + escaped(part.title) + "</h2>\n";
    if (!part.text.empty()) html += "<p class=\"quiet\">" + escaped(part.text) + "</p>\n";
    for (const auto& pair : part.pairs) html += detail::sheet_pair_html(pair, options);
  }
  return html + "</main>\n<footer>limpid " + escaped(kVersion) + "</footer>\n</body>\n</html>\n";
}

}  // namespace limpid
