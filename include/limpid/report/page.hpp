#pragma once

#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/metrics/scores.hpp>
#include <limpid/report/html.hpp>
#include <limpid/report/page_script.hpp>
#include <limpid/report/page_style.hpp>
#include <limpid/report/plot.hpp>
#include <limpid/report/report_parts.hpp>
#include <limpid/report/slide.hpp>
#include <limpid/version.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace limpid {

namespace detail {

/// "better", "worse", "same" or "unknown": the words behind a gain's colour.
inline std::string verdict(const AnyMetric& metric, double gain) {
  if (std::isnan(gain)) return "unknown";
  const auto text = format_score(metric, gain);
  if (text.find_first_not_of("-0.") == std::string::npos) return "same";
  return (gain > 0) == metric.higher_is_better ? "better" : "worse";
}

/// "27.31 dB"; "none" has no unit.
inline std::string with_unit(const AnyMetric& metric, double score, bool with_sign = false) {
  const auto text = format_score(metric, score, with_sign);
  return metric.unit.empty() || std::isnan(score) ? text : text + "\xc2\xa0" + metric.unit;
}

inline std::string count_of(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

inline std::string paragraph(const std::string& text, const std::string& style) {
  return "<p class=\"" + style + "\">" + escaped(text) + "</p>\n";
}

/// The first metric of each task in large figures.
inline std::string tiles_html(const std::vector<ReportTask>& tasks) {
  std::string html;
  for (const auto& task : tasks) {
    const auto& evaluation = task.evaluation;
    if (evaluation.images.empty() || evaluation.metrics.empty()) continue;
    const auto& metric = evaluation.metrics.front();
    const auto gain = evaluation.gain(0);
    const auto word = verdict(metric, gain.mean);
    html += "<li class=\"card\"><span class=\"task\">" + escaped(evaluation.task) +
            "</span><br><span class=\"big gain " + word + "\">" +
            escaped(with_unit(metric, gain.mean, true)) + "</span> <span class=\"pill " + word +
            "\">" + word + "</span><br><span class=\"quiet small number\">" +
            escaped(metric.label) + " " + escaped(mean_text(metric, evaluation.identity(0))) +
            " \xe2\x86\x92 " + escaped(mean_text(metric, evaluation.restored(0)));
    if (gain.left_out() > 0) html += ", gain over " + count_text(gain) + " pictures";
    html += "</span></li>\n";
  }
  return html.empty() ? html : "<ul class=\"tiles\">\n" + html + "</ul>\n";
}

/// Over how many pictures a mean runs and what it leaves out, where that is not all.
inline std::string left_out_html(const Statistics& statistics) {
  if (statistics.left_out() == 0) return {};
  auto text = "over " + count_text(statistics);
  if (statistics.exact > 0) text += ", " + std::to_string(statistics.exact) + " exact";
  if (statistics.none > 0) text += ", " + std::to_string(statistics.none) + " without a score";
  return "<span class=\"spread\">" + text + "</span>";
}

/// Where a mean lies with some confidence, if there are pictures enough to tell.
inline std::string interval_html(const AnyMetric& metric, const std::vector<double>& scores,
                                 bool with_sign = false) {
  const auto interval = mean_interval(scores);
  if (!interval) return {};
  return "<span class=\"spread\">" + interval_text(metric, interval, with_sign) + "</span>";
}

inline std::string score_cell(const AnyMetric& metric, const Statistics& statistics,
                              const std::vector<double>& scores) {
  auto html = "<td>" + format_score(metric, statistics.mean);
  if (!std::isnan(statistics.std)) {
    html += "<span class=\"spread\">\xc2\xb1 " + format_score(metric, statistics.std) + "</span>";
  }
  return html + interval_html(metric, scores) + left_out_html(statistics) + "</td>";
}

inline std::string table_html(const std::vector<ReportTask>& tasks) {
  std::string rows;
  for (const auto& task : tasks) {
    const auto& evaluation = task.evaluation;
    if (evaluation.images.empty()) continue;
    rows += "<tbody>\n<tr><th class=\"group\" colspan=\"4\" scope=\"rowgroup\">" +
            escaped(evaluation.task) + " <span class=\"quiet small\">" +
            count_of(evaluation.images.size(), "picture") + "</span></th></tr>\n";
    for (std::size_t i = 0; i < evaluation.metrics.size(); ++i) {
      const auto& metric = evaluation.metrics[i];
      const auto gain = evaluation.gain(i);
      const auto word = verdict(metric, gain.mean);
      const auto cell = [&](PictureScores ImageScores::*which) {
        return score_cell(metric, evaluation.statistics_of(which, i), evaluation.scores(which, i));
      };
      rows += "<tr><th scope=\"row\">" + escaped(metric.label) +
              (metric.unit.empty() ? ""
                                   : " <span class=\"quiet\">" + escaped(metric.unit) + "</span>") +
              "</th>" + cell(&ImageScores::identity) + cell(&ImageScores::restored) +
              "<td class=\"gain " + word + "\">" + format_score(metric, gain.mean, true) +
              "<span class=\"pill " + word + "\">" + word + "</span>" +
              interval_html(metric, evaluation.gains(i), true) + left_out_html(gain) +
              "</td></tr>\n";
    }
    rows += "</tbody>\n";
  }
  if (rows.empty()) return rows;
  std::string remarks;
  for (const auto& task : tasks) {
    const auto& evaluation = task.evaluation;
    for (std::size_t i = 0; i < evaluation.metrics.size() && !evaluation.images.empty(); ++i) {
      const auto& metric = evaluation.metrics[i];
      if (metric.needs_target) continue;
      remarks += paragraph(metric.label + " judges each picture alone; the true pictures of " +
                               evaluation.task + " score " +
                               format_score(metric, evaluation.target(i).mean) + ".",
                           "remark");
    }
    for (const auto& line : left_out_lines({evaluation})) remarks += paragraph(line, "remark");
  }
  return "<h2 id=\"scores\">What went in, what came out</h2>\n<div class=\"card wide\" "
         "tabindex=\"0\" role=\"region\" aria-labelledby=\"scores\"><table>\n"
         "<caption>Mean over the pictures, \xc2\xb1 standard deviation, against the true picture; "
         "the gain is the mean over the pictures that have both scores. In brackets: " +
         escaped(interval_note()) +
         ".</caption>\n<thead><tr><th "
         "scope=\"col\">Metric</th><th scope=\"col\">Degraded</th>"
         "<th scope=\"col\">Restored</th><th scope=\"col\">Gain</th></tr></thead>\n" +
         rows + "</table></div>\n" + remarks;
}

inline std::string picture_html(const ReportPicture& picture, const ReportOptions& options) {
  const AnyMetric psnr = PSNR<>{};
  const auto target = picture.target.unit();
  const auto before = psnr(picture.degraded.unit(), target);
  const auto after = psnr(picture.restored.unit(), target);
  const auto shown = [&](double score) {
    return std::isinf(score) ? std::string{"exact"} : with_unit(psnr, score);
  };
  const auto change = std::isfinite(after - before)
                          ? " (" + format_score(psnr, after - before, true) + ")"
                          : std::string{};
  const auto ratio =
      static_cast<double>(picture.target.width()) / static_cast<double>(picture.target.height());
  const auto name = escaped(picture.name);
  return "<figure class=\"picture card\">\n<figcaption><strong>" + name +
         "</strong> <span class=\"number\">PSNR RGB: degraded " + shown(before) + ", restored " +
         shown(after) + change +
         "</span></figcaption>\n"
         "<div class=\"three\" style=\"--ratio: " +
         fixed(ratio, 4) + "\">\n" +
         slide_html(picture.name, picture.degraded, picture.restored, options) +
         view_html(picture.target, "true", picture.name, "truth", options) + "</div>\n</figure>\n";
}

inline std::string plots_html(const std::vector<Plot>& plots) {
  if (plots.empty()) return {};
  std::string html = "<div class=\"plots\">\n";
  for (const auto& plot : plots) html += plot_html(plot);
  return html + "</div>\n";
}

inline std::string facts_html(const Report& report) {
  std::string html;
  if (!report.facts.empty()) {
    html += "<h2 id=\"facts\">What ran</h2>\n<dl class=\"card\">\n";
    for (const auto& fact : report.facts) {
      const auto value = escaped(fact.value);
      html += "<dt>" + escaped(fact.name) + "</dt><dd>" +
              (fact.is_code ? "<code>" + value + "</code>" : value) + "</dd>\n";
    }
    html += "</dl>\n";
  }
  std::vector<AnyMetric> metrics;
  for (const auto& task : report.tasks) {
    for (const auto& metric : task.evaluation.metrics) {
      bool is_new = !task.evaluation.images.empty();
      for (const auto& known : metrics) is_new = is_new && known.name != metric.name;
      if (is_new) metrics.push_back(metric);
    }
  }
  if (!metrics.empty()) {
    html +=
        "<h2 id=\"protocols\">How the scores are computed</h2>\n"
        "<div class=\"card protocols\"><dl>\n";
    for (const auto& metric : metrics) {
      html += "<dt>" + escaped(metric.label) + "</dt><dd>" + escaped(metric.protocol) + "; " +
              (metric.higher_is_better ? "higher" : "lower") + " is better</dd>\n";
    }
    html += "</dl></div>\n";
  }
  return html;
}

}  // namespace detail

/// The report as the text of one HTML page; `write_report` puts it into a file.
///
/// @throws c10::ValueError if the three images of a picture differ in size.
inline std::string report_html(const Report& report, const ReportOptions& options = {}) {
  using detail::escaped;
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>" +
      escaped(report.title) + "</title>\n<style>" + std::string{detail::kPageStyle} +
      "</style>\n<script>" + std::string{detail::kPageHeadScript} +
      "</script>\n</head>\n<body>\n<header>\n<h1>" + escaped(report.title) + "</h1>\n";
  if (!report.summary.empty()) html += detail::paragraph(report.summary, "quiet");
  if (report.tasks.size() > 1) {
    html += "<nav aria-label=\"Tasks\"><ul class=\"nav\">\n";
    for (std::size_t i = 0; i < report.tasks.size(); ++i) {
      html += "<li><a href=\"#task" + std::to_string(i + 1) + "\">" +
              escaped(report.tasks[i].evaluation.task) + "</a></li>\n";
    }
    html += "</ul></nav>\n";
  }
  html += "</header>\n<main>\n";
  for (const auto& warning : report.warnings) html += detail::paragraph(warning, "note");
  if (report.tiles) html += detail::tiles_html(report.tasks);
  for (std::size_t i = 0; i < report.tables.size(); ++i) {
    html += detail::report_table_html(report.tables[i], "table" + std::to_string(i + 1));
  }
  html += detail::table_html(report.tasks);
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    const auto& task = report.tasks[i];
    html +=
        "<h2 id=\"task" + std::to_string(i + 1) + "\">" + escaped(task.evaluation.task) + "</h2>\n";
    for (const auto& picture : task.pictures) html += detail::picture_html(picture, options);
    if (!task.plots.empty()) html += "<h3>Training</h3>\n" + detail::plots_html(task.plots);
  }
  if (!report.plots.empty()) {
    html += "<h2 id=\"run\">The run</h2>\n" + detail::plots_html(report.plots);
  }
  html += detail::facts_html(report);
  if (!report.notes.empty()) html += "<h2 id=\"notes\">Notes</h2>\n";
  for (const auto& note : report.notes) html += detail::paragraph(note, "remark");
  return html + "</main>\n<footer>limpid " + escaped(kVersion) + "</footer>\n<script>" +
         std::string{detail::kPageScript} + "</script>\n</body>\n</html>\n";
}

}  // namespace limpid
