#pragma once

#include <limpid/io/image.hpp>
#include <limpid/report/html.hpp>
#include <limpid/report/report_parts.hpp>

#include <c10/util/Exception.h>

#include <string>

namespace limpid::detail {

/// An HTML image whose source is the picture itself.
inline std::string embedded_picture(const Image& image, const std::string& text,
                                    const ReportOptions& options) {
  const auto shown = image.shrunk_to(options.max_side);
  const auto bytes = shown.encoded("jpg", options.jpeg_quality);
  TORCH_CHECK(!bytes.empty(), "report: cannot encode '", text, "': out of memory");
  return "<img width=\"" + std::to_string(shown.width()) + "\" height=\"" +
         std::to_string(shown.height()) + "\" alt=\"" + escaped(text) +
         "\" src=\"data:image/jpeg;base64," + base64(bytes) + "\">";
}

}  // namespace limpid::detail
