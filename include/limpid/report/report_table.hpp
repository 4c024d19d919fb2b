#pragma once

#include <limpid/report/html.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace limpid {

/// One cell of a `ReportTable`. All text is plain text.
struct ReportCell {
  std::string text;
  std::string note{};     ///< small, under the text
  std::string verdict{};  ///< "better", "worse", "same", or empty: shown by colour and by word
};

/// Rows under a heading of their own.
struct ReportRows {
  std::string heading{};  ///< none: no heading
  std::vector<std::vector<ReportCell>> rows;
};

/// A table of a report page: the first cell of each row names the row.
struct ReportTable {
  std::string title;
  std::string caption{};
  std::vector<std::string> columns;
  std::vector<ReportRows> groups;
};

namespace detail {

inline std::string cell_html(const ReportCell& cell, bool names_row) {
  auto html = escaped(cell.text);
  if (!cell.verdict.empty()) {
    html += "<span class=\"pill " + cell.verdict + "\">" + escaped(cell.verdict) + "</span>";
  }
  if (!cell.note.empty()) html += "<span class=\"spread\">" + escaped(cell.note) + "</span>";
  if (names_row) return "<th scope=\"row\">" + html + "</th>";
  const auto style = cell.verdict.empty() ? "" : " class=\"gain " + cell.verdict + "\"";
  return "<td" + style + ">" + html + "</td>";
}

/// @param id  of the heading, unique on the page.
inline std::string report_table_html(const ReportTable& table, const std::string& id) {
  auto html = "<h2 id=\"" + id + "\">" + escaped(table.title) +
              "</h2>\n<div class=\"card wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"" +
              id + "\"><table>\n";
  if (!table.caption.empty()) html += "<caption>" + escaped(table.caption) + "</caption>\n";
  html += "<thead><tr>";
  for (const auto& column : table.columns) html += "<th scope=\"col\">" + escaped(column) + "</th>";
  html += "</tr></thead>\n";
  for (const auto& group : table.groups) {
    html += "<tbody>\n";
    if (!group.heading.empty()) {
      html += "<tr><th class=\"group\" colspan=\"" + std::to_string(table.columns.size()) +
              "\" scope=\"rowgroup\">" + escaped(group.heading) + "</th></tr>\n";
    }
    for (const auto& row : group.rows) {
      html += "<tr>";
      for (std::size_t i = 0; i < row.size(); ++i) html += cell_html(row[i], i == 0);
      html += "</tr>\n";
    }
    html += "</tbody>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace detail
}  // namespace limpid
