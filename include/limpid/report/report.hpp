#pragma once

#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/make_folder.hpp>
#include <limpid/metrics/scores.hpp>
#include <limpid/report/page.hpp>
#include <limpid/report/report_parts.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// Writes a report as one HTML page that needs nothing else: style, script and pictures are inside.
///
/// It is read on phones and desktops, light and dark, by keyboard and by screen readers; without
/// scripts the pictures stand side by side. Folders are made; the file is renamed into place.
///
/// @param path  for example "report/index.html"
/// @throws c10::Error that names `path` if it cannot be written.
inline void write_report(const std::filesystem::path& path, const Report& report,
                         const ReportOptions& options = {}) {
  const auto page = report_html(report, options);
  make_folder("cannot write '" + path.string() + "'", path.parent_path());
  write_atomically(path, page);
}

}  // namespace limpid
