#pragma once

#include <limpid/core/fixed_string.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/make_folder.hpp>
#include <limpid/report/html.hpp>
#include <limpid/report/page.hpp>
#include <limpid/report/page_style.hpp>
#include <limpid/report/perception_distortion.hpp>
#include <limpid/report/plane_figure.hpp>
#include <limpid/report/report_parts.hpp>
#include <limpid/version.hpp>

#include <c10/util/Exception.h>

#include <filesystem>
#include <string>
#include <vector>

namespace limpid {

/// What a page of the plane shows, from top to bottom. All text is plain text.
struct PlanePage {
  std::string title = "Perception and distortion";
  std::string summary{};                ///< a sentence or two under the title
  std::vector<std::string> warnings{};  ///< what a reader must know before the numbers
  PerceptionDistortion plane{};
  std::vector<Fact> facts{};
};

namespace detail {

inline std::string plane_table_html(const PerceptionDistortion& plane) {
  const auto heading = [](const PlaneAxis& axis) {
    return "<th scope=\"col\">" +
           escaped(axis.label + (axis.unit.empty() ? "" : ", " + axis.unit)) +
           " <span class=\"quiet\">" + (axis.higher_is_better ? "\xe2\x86\x91" : "\xe2\x86\x93") +
           "</span></th>";
  };
  const auto cell = [](const PlaneAxis& axis, double value) {
    return "<td>" + format_value(axis, value) + "</td>";
  };
  std::string rows;
  for (const auto& task : plane.tasks()) {
    const auto part = plane.of_task(task);
    rows += "<tbody>\n<tr><th class=\"group\" colspan=\"4\" scope=\"rowgroup\">" + escaped(task) +
            "</th></tr>\n";
    const auto row = [&](const PlanePoint& point, const std::string& who, const std::string& by) {
      rows += "<tr><th scope=\"row\">" + who + "<span class=\"spread\">" +
              count_of(point.count, "picture") + "</span></th>" +
              cell(plane.distortion, point.distortion) + cell(plane.perception, point.perception) +
              "<td>" + escaped(by) + "</td></tr>\n";
    };
    const std::string start = "<span class=\"quiet\">", end = "</span>";
    for (const auto& point : part.degraded) row(point, start + "degraded" + end, "");
    for (const auto& point : part.restored)
      row(point, escaped(point.model), part.dominating(point));
    for (const auto& line : part.sharp) {
      rows += "<tr><th scope=\"row\">" + start + "true pictures" + end + "</th><td></td>" +
              cell(plane.perception, line.perception) + "<td></td></tr>\n";
    }
    rows += "</tbody>\n";
  }
  return "<h2 id=\"scores\">The numbers</h2>\n<div class=\"card wide\" tabindex=\"0\" "
         "role=\"region\" aria-labelledby=\"scores\"><table>\n<caption>Mean over the pictures. A "
         "model is dominated by one that is better at both.</caption>\n<thead><tr><th "
         "scope=\"col\">Pictures</th>" +
         heading(plane.distortion) + heading(plane.perception) +
         "<th scope=\"col\">Dominated by</th></tr></thead>\n" + rows + "</table></div>\n";
}

inline std::string plane_protocols_html(const PerceptionDistortion& plane) {
  std::string html =
      "<h2 id=\"protocols\">How the axes are computed</h2>\n<div class=\"card protocols\"><dl>\n";
  for (const auto* axis : {&plane.distortion, &plane.perception}) {
    html += "<dt>" + escaped(axis->label) + "</dt><dd>" +
            escaped(axis->protocol.empty() ? "as the scores' own files say" : axis->protocol) +
            "; " + (axis->higher_is_better ? "higher" : "lower") + " is better</dd>\n";
  }
  return html + "</dl></div>\n";
}

}  // namespace detail

/// The plane as the text of one HTML page in the report's style: all tasks together, each alone,
/// and the numbers.
inline std::string plane_page_html(const PlanePage& page) {
  using detail::escaped;
  const auto& plane = page.plane;
  const auto tasks = plane.tasks(), models = plane.models();
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'\">\n<title>" +
      escaped(page.title) + "</title>\n<style>" + std::string{detail::kPageStyle} +
      std::string{detail::kPlaneStyle} + "</style>\n</head>\n<body>\n<header>\n<h1>" +
      escaped(page.title) + "</h1>\n";
  if (!page.summary.empty()) html += detail::paragraph(page.summary, "quiet");
  html += "</header>\n<main>\n";
  for (const auto& warning : page.warnings) html += detail::paragraph(warning, "note");
  html += "<h2 id=\"plane\">How true, how natural</h2>\n" +
          detail::paragraph(
              "To the side marked better, restored pictures are closer to the true "
              "ones (" +
                  plane.distortion.label +
                  ") or look more natural by "
                  "themselves (" +
                  plane.perception.label +
                  "). Past some point the one "
                  "is paid for with the other.",
              "quiet") +
          "<div class=\"plots\">\n";
  if (tasks.size() > 1) html += detail::plane_html(plane, "All tasks", models);
  for (const auto& task : tasks) html += detail::plane_html(plane.of_task(task), task, models);
  html += "</div>\n" + detail::plane_table_html(plane) + detail::plane_protocols_html(plane);
  Report facts;
  facts.facts = page.facts;
  return html + detail::facts_html(facts) + "</main>\n<footer>limpid " + escaped(kVersion) +
         "</footer>\n</body>\n</html>\n";
}

/// Writes the page, and its parts for other use: `index.html`, `plane.json`, `plane.svg`, and with
/// several tasks `plane-TASK.svg` for each. Folders are made.
///
/// @throws c10::ValueError if the plane has no point; c10::Error that names a file that cannot be
///         written.
inline void write_plane(const std::filesystem::path& folder, const PlanePage& page) {
  TORCH_CHECK_VALUE(!page.plane.restored.empty(),
                    "perception-distortion plane: expected at least one point, got none");
  const auto tasks = page.plane.tasks();
  for (const auto& task : tasks) {  // they name files
    TORCH_CHECK_VALUE(is_task_name(task), "perception-distortion plane: task '", task,
                      "': expected a name of lower-case letters, digits, '-' and '_'");
  }
  make_folder("perception-distortion plane", folder);
  write_atomically(folder / "index.html", plane_page_html(page));
  write_atomically(folder / "plane.json", json_text(to_json(page.plane)));
  write_atomically(folder / "plane.svg", plane_svg(page.plane));
  if (tasks.size() < 2) return;
  for (const auto& task : tasks) {
    write_atomically(folder / ("plane-" + task + ".svg"),
                     plane_svg(page.plane.of_task(task), page.plane.models()));
  }
}

}  // namespace limpid
