#pragma once

#include <limpid/core/check.hpp>
#include <limpid/io/image.hpp>
#include <limpid/report/html.hpp>
#include <limpid/report/page_script.hpp>
#include <limpid/report/page_style.hpp>
#include <limpid/report/plot.hpp>
#include <limpid/report/report_parts.hpp>
#include <limpid/report/slide.hpp>
#include <limpid/version.hpp>

#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

inline constexpr std::string_view kSlidePageStyle = R"css(
.slides { display: grid; gap: 20px; margin-top: 22px; grid-template-columns: minmax(0, 1fr); }
.one { display: grid; gap: 12px; margin: 0 auto; max-width: max(300px, var(--width)); }
.js .one { max-width: min(calc(86vh * var(--ratio)), max(300px, var(--width))); }
.one img { display: block; width: 100%; height: auto; border-radius: 6px; background: var(--line); }
)css";

}  // namespace detail

/// A page that shows pictures before and after: each pair in one place, with a border that a
/// pointer, a finger or the arrow keys move. One text, no other file; phones to desktops.
///
/// Pictures are kept as the JPEG that the page shows, so that many fit into memory.
class SlidePage {
 public:
  struct Options {
    std::string title = "Before and after";
    std::int64_t max_side = 1280;  ///< larger pictures are shown scaled down
    int jpeg_quality = 90;         ///< 1..100
  };

  SlidePage() : SlidePage(Options()) {}

  /// @throws c10::ValueError for options out of range
  explicit SlidePage(Options options) : options_(std::move(options)) {
    detail::check_at_least("SlidePage: max_side", options_.max_side, 16);
    TORCH_CHECK_VALUE(options_.jpeg_quality >= 1 && options_.jpeg_quality <= 100,
                      "SlidePage: jpeg_quality: expected 1 to 100, got ", options_.jpeg_quality);
  }

  /// Adds a pair below those that are there.
  /// @param name  stands above it; @param text  behind the name, such as what was done
  /// @throws c10::ValueError if the two differ in size
  void add(const std::string& name, const Image& degraded, const Image& restored,
           const std::string& text = {}) {
    TORCH_CHECK_VALUE(
        degraded.height() == restored.height() && degraded.width() == restored.width(),
        "SlidePage: '", name, "': expected two pictures of one size, got ", degraded.width(), " x ",
        degraded.height(), " and ", restored.width(), " x ", restored.height());
    const auto ratio =
        static_cast<double>(restored.width()) / static_cast<double>(restored.height());
    slides_.push_back(
        "<figure class=\"picture card\">\n<figcaption><strong>" + detail::escaped(name) +
        "</strong> <span class=\"number\">" + detail::escaped(text) +
        "</span></figcaption>\n<div class=\"one\" "
        "style=\"--ratio: " +
        detail::fixed(ratio, 4) + "; --width: " + std::to_string(restored.width()) + "px\">\n" +
        detail::slide_html(name, degraded, restored,
                           {.max_side = options_.max_side, .jpeg_quality = options_.jpeg_quality}) +
        "</div>\n</figure>\n");
  }

  std::size_t size() const { return slides_.size(); }

  /// The page; `write_atomically` puts it into a file.
  std::string html() const {
    using detail::escaped;
    std::string html =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>" +
        escaped(options_.title) + "</title>\n<style>" + std::string{detail::kPageStyle} +
        std::string{detail::kSlidePageStyle} + "</style>\n<script>" +
        std::string{detail::kPageHeadScript} + "</script>\n</head>\n<body>\n<header>\n<h1>" +
        escaped(options_.title) +
        "</h1>\n<p class=\"quiet\">Drag the border of a picture, or use the arrow keys: degraded "
        "to "
        "its left, restored to its right.</p>\n</header>\n<main>\n<div class=\"slides\">\n";
    for (const auto& slide : slides_) html += slide;
    return html + "</div>\n</main>\n<footer>limpid " + escaped(kVersion) + "</footer>\n<script>" +
           std::string{detail::kPageScript} + "</script>\n</body>\n</html>\n";
  }

 private:
  Options options_;
  std::vector<std::string> slides_;
};

}  // namespace limpid
