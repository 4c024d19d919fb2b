#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/io/json_file.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/bootstrap.hpp>
#include <limpid/metrics/scores.hpp>
#include <limpid/metrics/statistics.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// What `json_number` wrote, now or when it called a missing score "nan".
/// @param where  how an error begins, without a colon
inline double number_of_json(const nlohmann::json& value, const std::string& where) {
  if (value.is_number()) return value.get<double>();
  if (value == "inf") return std::numeric_limits<double>::infinity();
  if (value == "-inf") return -std::numeric_limits<double>::infinity();
  if (value == "none" || value == "nan") return std::numeric_limits<double>::quiet_NaN();
  limpid::fail(where, ": expected a number, found ", json_excerpt(value));
}

namespace detail {

/// JSON has no infinity: one becomes the string "inf" or "-inf", and a score that is missing
/// "none".
inline nlohmann::json json_number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "none" : value > 0 ? "inf" : "-inf";
}

inline void add_left_out(nlohmann::json& json, const Statistics& statistics) {
  json["left_out"] = statistics.left_out();
  if (statistics.exact > 0) json["exact"] = statistics.exact;
  if (statistics.none > 0) json["none"] = statistics.none;
}

/// "interval": [low, high], where there are pictures enough for one.
inline void add_interval(nlohmann::json& json, const std::vector<double>& scores) {
  const auto interval = mean_interval(scores);
  if (interval) json["interval"] = {interval->low(), interval->high()};
}

/// What "interval" is.
inline nlohmann::json json_confidence(const BootstrapOptions& options = {}) {
  return {{"method", "percentile bootstrap over the pictures"},
          {"level", options.level},
          {"draws", options.draws},
          {"seed", options.seed}};
}

/// {"mean", "std", "count", "left_out"}, and where pictures are left out how many of them are
/// "exact" (their score is infinite) and how many have "none". Over no picture mean and deviation
/// are "none".
/// @param scores  those behind the statistics: their interval, `mean_interval`, is added
/// @param pooled  `AnyMetric::pooled`, where the metric has it
inline nlohmann::json json_statistics(const Statistics& statistics,
                                      const std::vector<double>& scores = {},
                                      std::optional<double> pooled = {}) {
  nlohmann::json json{{"mean", json_number(statistics.mean)},
                      {"std", json_number(statistics.std)},
                      {"count", statistics.count}};
  add_left_out(json, statistics);
  add_interval(json, scores);
  if (pooled) json["pooled"] = json_number(*pooled);
  return json;
}

/// {"mean", "count", "left_out", "interval"}, and "exact" and "none" as above.
inline nlohmann::json json_gain(const Statistics& gain, const std::vector<double>& gains) {
  nlohmann::json json{{"mean", json_number(gain.mean)}, {"count", gain.count}};
  add_left_out(json, gain);
  add_interval(json, gains);
  return json;
}

inline nlohmann::json json_scores(const std::vector<AnyMetric>& metrics,
                                  const PictureScores& scores, bool only_alone = false) {
  auto json = nlohmann::json::object();
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (metrics[i].of_set) continue;
    if (!only_alone || !metrics[i].needs_target) json[metrics[i].name] = json_number(scores.at(i));
  }
  return json;
}

/// {METRIC: why it has no score}
inline nlohmann::json json_reasons(const std::vector<AnyMetric>& metrics,
                                   const PictureScores& scores) {
  auto json = nlohmann::json::object();
  for (const auto& [index, reason] : scores.reasons) json[metrics.at(index).name] = reason;
  return json;
}

inline bool needs_no_target(const AnyMetric& metric) { return !metric.needs_target; }

inline nlohmann::json json_protocols(const std::vector<AnyMetric>& metrics) {
  auto json = nlohmann::json::object();
  for (const auto& metric : metrics) {
    json[metric.name] = {{"protocol", metric.protocol},
                         {"higher_is_better", metric.higher_is_better}};
  }
  return json;
}

inline nlohmann::json json_image(const std::vector<AnyMetric>& metrics, const ImageScores& image,
                                 bool with_target) {
  nlohmann::json json{{"name", image.name},
                      {"identity", json_scores(metrics, image.identity)},
                      {"restored", json_scores(metrics, image.restored)}};
  if (with_target) json["target"] = json_scores(metrics, image.target, true);
  for (const auto& [what, scores] : {std::pair{"identity", &image.identity},
                                     {"restored", &image.restored},
                                     {"target", &image.target}}) {
    if (!scores->reasons.empty()) json["none"][what] = json_reasons(metrics, *scores);
  }
  if (!image.error.empty()) json["error"] = image.error;
  return json;
}

inline nlohmann::json json_task(const TaskEvaluation& evaluation) {
  const auto& metrics = evaluation.metrics;
  nlohmann::json task{
      {"count", evaluation.images.size()},    {"failed", evaluation.failed()},
      {"identity", nlohmann::json::object()}, {"restored", nlohmann::json::object()},
      {"gain", nlohmann::json::object()},     {"images", nlohmann::json::array()}};
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const auto& name = metrics[i].name;
    const auto json_of = [&](PictureScores ImageScores::*which) {
      const auto scores = evaluation.scores(which, i);
      return json_statistics(evaluation.statistics_of(which, i), scores, metrics[i].pooled(scores));
    };
    task["identity"][name] = json_of(&ImageScores::identity);
    task["restored"][name] = json_of(&ImageScores::restored);
    task["gain"][name] = json_gain(evaluation.gain(i), evaluation.gains(i));
    if (!metrics[i].needs_target) task["target"][name] = json_statistics(evaluation.target(i));
  }
  const bool with_target = std::any_of(metrics.begin(), metrics.end(), needs_no_target);
  for (const auto& image : evaluation.images) {
    task["images"].push_back(json_image(metrics, image, with_target));
  }
  return task;
}

}  // namespace detail

/// {"tasks": {TASK: {"count", "failed",
///   "identity": {METRIC: {"mean", "std", "count", "left_out"}}, "restored": {...},
///   "gain": {METRIC: {"mean", "count", "left_out"}},
///   "images": [{"name", "identity": {METRIC: score}, "restored": {...}}]}},
///  "protocols": {METRIC: {"protocol", "higher_is_better"}},
///  "confidence": {"method", "level", "draws", "seed"}}
///
/// A mean runs over "count" pictures, the gain over those with a finite score before and after;
/// over no picture it is "none". Of the pictures left out, "exact" beside it have an infinite score
/// and "none" have no score. A metric that `AnyMetric::pooled` knows has "pooled" too, over all
/// pictures that have a score. A number that JSON cannot hold is a string: "inf", "none"; an image
/// without a score has {"none": {"restored": {METRIC: why}}}, and one that could not be read or
/// restored, one of "failed", "error": why. With a metric that needs no target, the task and its
/// images have a "target" beside "restored": what the true picture scores under it. Where there are
/// two pictures or more, means and gains have an "interval" beside them, [low, high], of the
/// confidence that "confidence" states. A metric of sets has its score as "mean", and images none.
inline nlohmann::json to_json(const std::vector<TaskEvaluation>& evaluations) {
  nlohmann::json json{{"tasks", nlohmann::json::object()},
                      {"protocols", nlohmann::json::object()},
                      {"confidence", detail::json_confidence()}};
  for (const auto& evaluation : evaluations) {
    json["tasks"][evaluation.task] = detail::json_task(evaluation);
    json["protocols"].update(detail::json_protocols(evaluation.metrics));
  }
  return json;
}

/// {"count", "failed", "compared": {METRIC: {"mean", "std", "count", "left_out"}},
///  "images": [{"name", METRIC: score}], "protocols": {METRIC: {"protocol", "higher_is_better"}}},
/// as above.
inline nlohmann::json to_json(const Comparison& comparison) {
  const auto& metrics = comparison.metrics;
  nlohmann::json json{{"count", comparison.images.size()},
                      {"failed", comparison.failed()},
                      {"compared", nlohmann::json::object()},
                      {"images", nlohmann::json::array()},
                      {"protocols", detail::json_protocols(metrics)},
                      {"confidence", detail::json_confidence()}};
  if (!comparison.notes.empty()) json["notes"] = comparison.notes;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const auto scores = comparison.scores(i);
    json["compared"][metrics[i].name] =
        detail::json_statistics(comparison.compared(i), scores, metrics[i].pooled(scores));
  }
  for (const auto& image : comparison.images) {
    auto entry = detail::json_scores(metrics, image.scores);
    entry["name"] = image.name;
    if (!image.scores.reasons.empty()) {
      entry["none"] = detail::json_reasons(metrics, image.scores);
    }
    if (!image.error.empty()) entry["error"] = image.error;
    json["images"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace limpid
