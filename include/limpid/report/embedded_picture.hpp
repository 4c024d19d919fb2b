#pragma once

#include <limpid/io/image.hpp>
#include <limpid/report/html.hpp>
#include <limpid/report/report_parts.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace limpid::detail {

/// The picture, or a smaller one whose longer side is `max_side` pixels.
inline Image fitted(const Image& image, std::int64_t max_side) {
  const auto longest = std::max(image.height(), image.width());
  if (longest <= max_side) return image;
  const auto scaled = [&](std::int64_t side) {
    const auto exact = static_cast<double>(side * max_side) / static_cast<double>(longest);
    return std::max<std::int64_t>(1, std::llround(exact));
  };
  return image.resized(scaled(image.height()), scaled(image.width()));
}

/// An HTML image whose source is the picture itself.
inline std::string embedded_picture(const Image& image, const std::string& text,
                                    const ReportOptions& options) {
  const auto shown = fitted(image, options.max_side);
  const auto bytes = shown.encoded("jpg", options.jpeg_quality);
  TORCH_CHECK(!bytes.empty(), "report: cannot encode '", text, "': out of memory");
  return "<img width=\"" + std::to_string(shown.width()) + "\" height=\"" +
         std::to_string(shown.height()) + "\" alt=\"" + escaped(text) +
         "\" src=\"data:image/jpeg;base64," + base64(bytes) + "\">";
}

}  // namespace limpid::detail
