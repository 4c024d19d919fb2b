#pragma once

#include <limpid/core/fixed_string.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/scores.hpp>
#include <limpid/report/perception_distortion.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// What `json_number` wrote.
inline double number_of(const nlohmann::json& value, const std::string& where) {
  if (value.is_number()) return value.get<double>();
  if (value == "inf") return std::numeric_limits<double>::infinity();
  if (value == "-inf") return -std::numeric_limits<double>::infinity();
  if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
  TORCH_CHECK(false, where, ": expected a number, found ", value.dump());
}

/// `json[key]`, or an error that says what is missing where.
inline const nlohmann::json& member(const nlohmann::json& json, const std::string& key,
                                    const std::string& where) {
  TORCH_CHECK(json.is_object() && json.contains(key), where, ": expected '", key, "', found ",
              json.is_object() ? "none" : json.type_name());
  return json.at(key);
}

/// Mean of an axis over the scores of pictures; an RMSE comes from the PSNR of each picture. A
/// score that is no number is left out and counted.
inline double plane_value(const PlaneAxis& axis, const std::vector<nlohmann::json>& scores,
                          const std::string& where, std::size_t& undefined) {
  const bool is_rmse = axis.name == "rmse";
  std::vector<double> values;
  for (const auto& score : scores) {
    const auto name = is_rmse && !score.contains("rmse") ? "psnr_rgb" : axis.name;
    const auto value = number_of(member(score, name, where), where + ": " + name);
    if (std::isnan(value)) {
      ++undefined;
    } else {
      values.push_back(name == axis.name ? value : rmse_of_psnr(value));
    }
  }
  return statistics(values).mean;
}

/// The place of pictures in the plane, and a warning where some have no score.
inline PlanePoint plane_point(const PerceptionDistortion& plane, std::string model,
                              std::string task, const std::vector<nlohmann::json>& scores,
                              const std::string& where, std::vector<std::string>& warnings) {
  TORCH_CHECK(!scores.empty(), where, ": expected the scores of pictures, found none");
  std::size_t undefined = 0;
  PlanePoint point{std::move(model), std::move(task)};
  point.distortion = plane_value(plane.distortion, scores, where, undefined);
  point.perception = plane_value(plane.perception, scores, where, undefined);
  point.count = scores.size();
  if (undefined > 0) {
    warnings.push_back(point.task + ", " + point.model + ": " + std::to_string(undefined) +
                       " scores of " + std::to_string(point.count) +
                       " pictures are undefined and left out");
  }
  return point;
}

/// Adds how the true pictures score, where the task's images say it, once for each task.
inline void add_sharp(PerceptionDistortion& plane, const std::string& task,
                      const nlohmann::json& images, const std::string& where) {
  for (const auto& line : plane.sharp) {
    if (line.task == task) return;
  }
  std::vector<nlohmann::json> scores;
  for (const auto& image : images) {
    if (!image.contains("target") || !image["target"].contains(plane.perception.name)) return;
    scores.push_back(image["target"]);
  }
  std::size_t undefined = 0;
  plane.sharp.push_back({task, plane_value(plane.perception, scores, where, undefined)});
}

inline bool about_equal(double a, double b) {
  return a == b || std::abs(a - b) <= 1e-6 * std::max(std::abs(a), std::abs(b));
}

}  // namespace detail

/// Adds a point; a second one of the same model and task is an error.
///
/// @throws c10::ValueError that names model and task.
inline void add_restored(PerceptionDistortion& plane, PlanePoint point) {
  for (const auto& known : plane.restored) {
    TORCH_CHECK_VALUE(known.model != point.model || known.task != point.task,
                      "perception-distortion plane: two points of '", point.model, "' for task '",
                      point.task, "'");
  }
  plane.restored.push_back(std::move(point));
}

/// Adds the degraded pictures of a task, once.
///
/// @return a warning where the plane holds other degraded pictures of this task; else nothing.
inline std::string add_degraded(PerceptionDistortion& plane, PlanePoint point) {
  for (const auto& known : plane.degraded) {
    if (known.task != point.task) continue;
    if (known.count == point.count && detail::about_equal(known.distortion, point.distortion) &&
        detail::about_equal(known.perception, point.perception)) {
      return {};
    }
    return point.task + ": " + point.model + " and " + known.model +
           " were measured on other pictures; their points cannot be compared";
  }
  plane.degraded.push_back(std::move(point));
  return {};
}

/// Adds what an evaluation measured: `to_json` of a `TaskEvaluation` or, with the name of its task,
/// of a `Comparison`. An RMSE is computed from the `psnr_rgb` of each picture.
///
/// @param task  of a comparison, which does not say it; of an evaluation: the only one to take, or
///              empty for all
/// @return warnings: pictures that differ from those measured before
/// @throws c10::Error that names `source` and what is missing in it.
inline std::vector<std::string> add_scores(PerceptionDistortion& plane, const std::string& model,
                                           const nlohmann::json& scores, const std::string& source,
                                           const std::string& task = {}) {
  std::vector<std::string> warnings;
  TORCH_CHECK(scores.is_object(), source, ": expected what limpid-evaluate --json writes, found ",
              scores.type_name());
  if (scores.contains("compared")) {
    TORCH_CHECK(!task.empty(), source,
                ": it compares two folders; expected the name of its task, got none");
    const auto& images = detail::member(scores, "images", source);
    auto point =
        detail::plane_point(plane, model, task, {images.begin(), images.end()}, source, warnings);
    for (const auto& known : plane.degraded) {
      if (known.task != task || known.count == point.count) continue;
      warnings.push_back(task + ": " + model + " has " + std::to_string(point.count) +
                         " pictures, " + known.model + " has " + std::to_string(known.count) +
                         "; their points cannot be compared");
    }
    add_restored(plane, std::move(point));
    return warnings;
  }
  const auto& tasks = detail::member(scores, "tasks", source);
  TORCH_CHECK(task.empty() || tasks.contains(task), source, ": it has no task '", task, "'");
  for (const auto& [name, entry] : tasks.items()) {
    if (!task.empty() && name != task) continue;
    const auto where = source + ": task '" + name + "'";
    TORCH_CHECK(is_task_name(name), where,
                ": expected a name of lower-case letters, digits, '-' and '_'");
    const auto& images = detail::member(entry, "images", where);
    std::vector<nlohmann::json> restored, identity;
    for (const auto& image : images) {
      restored.push_back(detail::member(image, "restored", where));
      identity.push_back(detail::member(image, "identity", where));
    }
    add_restored(plane, detail::plane_point(plane, model, name, restored, where, warnings));
    std::vector<std::string> of_input;
    const auto warning =
        add_degraded(plane, detail::plane_point(plane, model, name, identity, where, of_input));
    if (!warning.empty()) warnings.push_back(warning);
    detail::add_sharp(plane, name, images, where);
  }
  return warnings;
}

/// The axis of a metric, as a file of scores describes it; "rmse" is known without.
///
/// @throws c10::Error that names `source` where it does not have the metric.
inline PlaneAxis axis_of_scores(const std::string& name, const nlohmann::json& scores,
                                const std::string& source) {
  if (name == "rmse") return PlaneAxis::rmse();
  const auto& protocols = detail::member(scores, "protocols", source);
  const auto& entry = detail::member(protocols, name, source + ": protocols");
  PlaneAxis axis{name, name == "niqe" ? "NIQE" : name};
  for (const auto& metric : known_metrics()) {
    if (metric.name == name) axis = PlaneAxis::of(metric);
  }
  axis.protocol = entry.value("protocol", axis.protocol);
  axis.higher_is_better = entry.value("higher_is_better", axis.higher_is_better);
  return axis;
}

/// The JSON in a file of scores. @throws c10::Error that names the file.
inline nlohmann::json read_scores(const std::filesystem::path& file) {
  std::ifstream stream{file, std::ios::binary};
  TORCH_CHECK(stream.is_open() && !std::filesystem::is_directory(file), "scores '", file.string(),
              "': cannot be read");
  auto json = nlohmann::json::parse(stream, nullptr, false);
  TORCH_CHECK(json.is_object(), "scores '", file.string(),
              "': expected what limpid-evaluate --json writes, found something else");
  return json;
}

}  // namespace limpid
