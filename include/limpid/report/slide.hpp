#pragma once

#include <limpid/io/image.hpp>
#include <limpid/report/embedded_picture.hpp>
#include <limpid/report/html.hpp>
#include <limpid/report/report_parts.hpp>

#include <string>

namespace limpid::detail {

/// A picture under a label, in a page.
inline std::string view_html(const Image& image, const std::string& what, const std::string& name,
                             const std::string& style, const ReportOptions& options) {
  return "<div class=\"view " + style + "\"><span class=\"label\">" + what + "</span>" +
         embedded_picture(image, what + ": " + name, options) + "</div>\n";
}

/// Two pictures of one size in one place, with a border that pointer, finger and keyboard move;
/// below each other where scripts do not run. Wants `kPageStyle` and both scripts of a page.
inline std::string slide_html(const std::string& name, const Image& degraded, const Image& restored,
                              const ReportOptions& options) {
  return "<div class=\"slide\">\n" + view_html(degraded, "degraded", name, "before", options) +
         view_html(restored, "restored", name, "after", options) +
         "<input type=\"range\" min=\"0\" max=\"100\" value=\"50\" aria-label=\"How much of " +
         escaped(name) +
         " shows the degraded picture\" aria-valuetext=\"50 % degraded, the rest restored\">"
         "<span class=\"handle\" aria-hidden=\"true\"></span>\n</div>\n";
}

}  // namespace limpid::detail
