#pragma once

#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/scores.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace limpid {

/// A score as people read it: two decimals where it is in dB, else four; "inf", "-inf", "nan".
inline std::string format_score(const AnyMetric& metric, double score, bool with_sign = false) {
  if (std::isnan(score)) return "nan";
  if (std::isinf(score)) return score > 0 ? "inf" : "-inf";
  char text[64];
  const int decimals = metric.unit == "dB" ? 2 : 4;
  std::snprintf(text, sizeof text, with_sign ? "%+.*f" : "%.*f", decimals, score);
  return text;
}

namespace detail {

/// JSON has no infinity: one becomes the string "inf" or "-inf", and what is no number "nan".
inline nlohmann::json json_number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

inline nlohmann::json json_statistics(const Statistics& statistics) {
  nlohmann::json json{{"mean", json_number(statistics.mean)}, {"std", json_number(statistics.std)}};
  if (statistics.infinite > 0) json["infinite"] = statistics.infinite;
  if (statistics.undefined > 0) json["undefined"] = statistics.undefined;
  return json;
}

inline nlohmann::json json_scores(const std::vector<AnyMetric>& metrics,
                                  const PictureScores& scores, bool only_alone = false) {
  auto json = nlohmann::json::object();
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (!only_alone || !metrics[i].needs_target) json[metrics[i].name] = json_number(scores.at(i));
  }
  return json;
}

/// {METRIC: why it has no score}
inline nlohmann::json json_reasons(const std::vector<AnyMetric>& metrics,
                                   const PictureScores& scores) {
  auto json = nlohmann::json::object();
  for (const auto& [index, reason] : scores.undefined) json[metrics.at(index).name] = reason;
  return json;
}

inline bool needs_no_target(const AnyMetric& metric) { return !metric.needs_target; }

inline void add_protocols(nlohmann::json& json, const std::vector<AnyMetric>& metrics) {
  for (const auto& metric : metrics) {
    json[metric.name] = {{"protocol", metric.protocol},
                         {"higher_is_better", metric.higher_is_better}};
  }
}

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

/// {"tasks": {TASK: {"count", "identity": {METRIC: {"mean", "std"}}, "restored": {...},
///   "images": [{"name", "identity": {METRIC: score}, "restored": {...}}]}},
///  "protocols": {METRIC: {"protocol", "higher_is_better"}}}
///
/// "std" is the population's. A number that JSON cannot hold is a string: "inf", "-inf", "nan".
/// Where scores are infinite, mean and std leave them out and "infinite" beside them counts them;
/// likewise "undefined", and an image then has {"undefined": {"restored": {METRIC: why}}}. With a
/// metric that needs no target, the task and its images have a "target" beside "restored": what the
/// true picture scores under it.
inline nlohmann::json to_json(const std::vector<TaskEvaluation>& evaluations) {
  nlohmann::json json{{"tasks", nlohmann::json::object()}, {"protocols", nlohmann::json::object()}};
  for (const auto& evaluation : evaluations) {
    nlohmann::json task{{"count", evaluation.images.size()},
                        {"identity", nlohmann::json::object()},
                        {"restored", nlohmann::json::object()},
                        {"images", nlohmann::json::array()}};
    for (std::size_t i = 0; i < evaluation.metrics.size(); ++i) {
      const auto& name = evaluation.metrics[i].name;
      task["identity"][name] = detail::json_statistics(evaluation.identity(i));
      task["restored"][name] = detail::json_statistics(evaluation.restored(i));
    }
    const auto& metrics = evaluation.metrics;
    const bool with_target = std::any_of(metrics.begin(), metrics.end(), detail::needs_no_target);
    for (std::size_t i = 0; with_target && i < metrics.size(); ++i) {
      if (metrics[i].needs_target) continue;
      task["target"][metrics[i].name] = detail::json_statistics(evaluation.target(i));
    }
    for (const auto& image : evaluation.images) {
      nlohmann::json entry{{"name", image.name},
                           {"identity", detail::json_scores(metrics, image.identity)},
                           {"restored", detail::json_scores(metrics, image.restored)}};
      if (with_target) entry["target"] = detail::json_scores(metrics, image.target, true);
      const auto add_reasons = [&](const char* what, const PictureScores& scores) {
        if (scores.undefined.empty()) return;
        entry["undefined"][what] = detail::json_reasons(metrics, scores);
      };
      add_reasons("identity", image.identity);
      add_reasons("restored", image.restored);
      add_reasons("target", image.target);
      task["images"].push_back(std::move(entry));
    }
    json["tasks"][evaluation.task] = std::move(task);
    detail::add_protocols(json["protocols"], evaluation.metrics);
  }
  return json;
}

/// {"count", "compared": {METRIC: {"mean", "std"}}, "images": [{"name", METRIC: score}],
///  "protocols": {METRIC: {"protocol", "higher_is_better"}}}, numbers as above.
inline nlohmann::json to_json(const Comparison& comparison) {
  nlohmann::json json{{"count", comparison.images.size()},
                      {"compared", nlohmann::json::object()},
                      {"images", nlohmann::json::array()},
                      {"protocols", nlohmann::json::object()}};
  for (std::size_t i = 0; i < comparison.metrics.size(); ++i) {
    json["compared"][comparison.metrics[i].name] = detail::json_statistics(comparison.compared(i));
  }
  for (const auto& image : comparison.images) {
    auto entry = detail::json_scores(comparison.metrics, image.scores);
    entry["name"] = image.name;
    if (!image.scores.undefined.empty()) {
      entry["undefined"] = detail::json_reasons(comparison.metrics, image.scores);
    }
    json["images"].push_back(std::move(entry));
  }
  detail::add_protocols(json["protocols"], comparison.metrics);
  return json;
}

/// JSON as text, indented; bytes of file names that are not UTF-8 become U+FFFD.
inline std::string json_text(const nlohmann::json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// What metrics have to say of pictures that they cannot judge, a line for each:
/// "niqe of restored 'a.png' (deblur) is undefined: 3 of 40 blocks are flat".
inline std::vector<std::string> undefined_scores(const std::vector<TaskEvaluation>& evaluations) {
  std::vector<std::string> lines;
  for (const auto& evaluation : evaluations) {
    const auto add = [&](const char* what, const std::string& name, const PictureScores& scores) {
      for (const auto& [index, reason] : scores.undefined) {
        lines.push_back(evaluation.metrics.at(index).name + " of " + what + " '" + name + "' (" +
                        evaluation.task + ") is undefined: " + reason);
      }
    };
    for (const auto& image : evaluation.images) {
      add("degraded", image.name, image.identity);
      add("restored", image.name, image.restored);
      add("target", image.name, image.target);
    }
  }
  return lines;
}

/// The same for a comparison: "niqe of 'a.png' is undefined: 3 of 40 blocks are flat".
inline std::vector<std::string> undefined_scores(const Comparison& comparison) {
  std::vector<std::string> lines;
  for (const auto& image : comparison.images) {
    for (const auto& [index, reason] : image.scores.undefined) {
      lines.push_back(comparison.metrics.at(index).name + " of '" + image.name +
                      "' is undefined: " + reason);
    }
  }
  return lines;
}

/// A table for terminals: one line per task and metric, what went in, what came out, the gain; and
/// what the true pictures score, where a metric judges pictures alone.
inline std::string text_table(const std::vector<TaskEvaluation>& evaluations) {
  bool with_target = false;
  for (const auto& evaluation : evaluations) {
    for (const auto& metric : evaluation.metrics) with_target |= !metric.needs_target;
  }
  std::vector<std::vector<std::string>> rows{
      {"task", "metric", "unit", "images", "identity", "restored", "gain"}};
  if (with_target) rows.front().push_back("target");
  for (const auto& evaluation : evaluations) {
    for (std::size_t i = 0; i < evaluation.metrics.size(); ++i) {
      const auto& metric = evaluation.metrics[i];
      const auto identity = evaluation.identity(i), restored = evaluation.restored(i);
      rows.push_back({evaluation.task, metric.name, metric.unit,
                      std::to_string(evaluation.images.size()), format_score(metric, identity.mean),
                      format_score(metric, restored.mean),
                      format_score(metric, restored.mean - identity.mean, true)});
      if (metric.needs_target) continue;
      rows.back().push_back(format_score(metric, evaluation.target(i).mean));
    }
  }
  return detail::aligned(rows, 3);
}

/// A table for terminals: one line per metric.
inline std::string text_table(const Comparison& comparison) {
  std::vector<std::vector<std::string>> rows{{"metric", "unit", "images", "mean", "std"}};
  for (std::size_t i = 0; i < comparison.metrics.size(); ++i) {
    const auto& metric = comparison.metrics[i];
    const auto compared = comparison.compared(i);
    rows.push_back({metric.name, metric.unit, std::to_string(comparison.images.size()),
                    format_score(metric, compared.mean), format_score(metric, compared.std)});
  }
  return detail::aligned(rows, 2);
}

}  // namespace limpid
