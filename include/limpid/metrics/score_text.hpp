#pragma once

#include <limpid/core/interval.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/bootstrap.hpp>
#include <limpid/metrics/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace limpid {

/// A score as people read it: two decimals where it is in dB, else four; "inf" where it is infinite
/// and "none" where there is none.
inline std::string format_score(const AnyMetric& metric, double score, bool with_sign = false) {
  if (std::isnan(score)) return "none";
  if (std::isinf(score)) return score > 0 ? "inf" : "-inf";
  char text[64];
  const int decimals = metric.unit == "dB" ? 2 : 4;
  std::snprintf(text, sizeof text, with_sign ? "%+.*f" : "%.*f", decimals, score);
  return text;
}

/// "3 of 4" where pictures are left out of a mean, else nothing.
inline std::string count_text(const Statistics& statistics) {
  if (statistics.left_out() == 0) return {};
  return std::to_string(statistics.count) + " of " + std::to_string(statistics.pictures());
}

/// A mean with the number of pictures that it runs over where that is not all: "27.31",
/// "27.31 (3 of 4)", "none (0 of 4)" where no score is finite.
inline std::string mean_text(const AnyMetric& metric, const Statistics& statistics,
                             bool with_sign = false) {
  const auto count = count_text(statistics);
  return format_score(metric, statistics.mean, with_sign) +
         (count.empty() ? count : " (" + count + ")");
}

/// "[26.90, 27.75]": where a mean lies with some confidence; "none" where too few pictures tell.
inline std::string interval_text(const AnyMetric& metric, const std::optional<Interval>& interval,
                                 bool with_sign = false) {
  if (!interval) return "none";
  return "[" + format_score(metric, interval->low(), with_sign) + ", " +
         format_score(metric, interval->high(), with_sign) + "]";
}

/// What the intervals of tables and pages are.
inline std::string interval_note(const BootstrapOptions& options = {}) {
  return level_text(options) + ": where the mean lies with this confidence, by the percentile " +
         "bootstrap over the pictures (" + std::to_string(options.draws) + " draws, seed " +
         std::to_string(options.seed) + ")";
}

namespace detail {

inline std::string padded(std::string text, std::size_t width, bool right) {
  if (text.size() >= width) return text;
  return right ? std::string(width - text.size(), ' ') + text
               : text + std::string(width - text.size(), ' ');
}

/// Rows of cells as columns of text, two blanks apart; the first `left` columns stand left.
inline std::string aligned(const std::vector<std::vector<std::string>>& rows, std::size_t left) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += (i == 0 ? "" : "  ") + padded(row[i], widths[i], i >= left);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace detail
}  // namespace limpid
