#pragma once

#include <limpid/core/fixed_string.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/io/json_file.hpp>
#include <limpid/metrics/left_out.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/metrics/score_json.hpp>
#include <limpid/metrics/statistics.hpp>
#include <limpid/report/perception_distortion.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// `json[key]`, or an error that says what is missing where.
inline const nlohmann::json& member(const nlohmann::json& json, const std::string& key,
                                    const std::string& where) {
  TORCH_CHECK(json.is_object() && json.contains(key), where, ": expected '", key, "', found ",
              json.is_object() ? "none" : json.type_name());
  return json.at(key);
}

/// The value of an axis for one picture; an RMSE comes from its PSNR.
inline double plane_value(const PlaneAxis& axis, const nlohmann::json& scores,
                          const std::string& where) {
  const bool of_psnr = axis.name == "rmse" && !scores.contains("rmse");
  const std::string name = of_psnr ? "psnr_rgb" : axis.name;
  const auto value = number_of_json(member(scores, name, where), where + ": " + name);
  return of_psnr ? rmse_of_psnr(value) : value;
}

inline std::string picture_name(const nlohmann::json& image, std::size_t index) {
  const auto name = image.find("name");
  return name != image.end() && name->is_string() ? name->get<std::string>()
                                                  : std::to_string(index + 1);
}

/// The place of pictures in the plane.
/// @param of  the JSON of an image -> that of its scores
template <class Of>
PlanePoint plane_point(const PerceptionDistortion& plane, std::string model, std::string task,
                       const nlohmann::json& images, const std::string& where, Of of) {
  TORCH_CHECK(images.is_array() && !images.empty(), where,
              ": expected the scores of pictures, found none");
  PlanePoint point{std::move(model), std::move(task)};
  for (const auto& image : images) {
    TORCH_CHECK(image.is_object(), where, ": expected a picture's scores, found ",
                json_excerpt(image));
    const nlohmann::json& scores = of(image);
    point.pictures.push_back({picture_name(image, point.pictures.size()),
                              plane_value(plane.distortion, scores, where),
                              plane_value(plane.perception, scores, where)});
  }
  return point;
}

/// Adds how the true pictures score, where the task's images say it, once for each task.
inline void add_sharp(PerceptionDistortion& plane, const std::string& task,
                      const nlohmann::json& images, const std::string& where) {
  for (const auto& line : plane.sharp) {
    if (line.task == task) return;
  }
  PlaneLine line{task};
  for (const auto& image : images) {
    const auto target = image.find("target");
    if (target == image.end() || !target->contains(plane.perception.name)) return;
    line.pictures.push_back({picture_name(image, line.pictures.size()), 0,
                             plane_value(plane.perception, *target, where)});
  }
  plane.sharp.push_back(std::move(line));
}

inline bool about_equal(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b)) ||
         std::abs(a - b) <= 1e-6 * std::max(std::abs(a), std::abs(b));
}

inline bool same_place(const PlanePoint& a, const PlanePoint& b) {
  const auto same = [](const auto& one, const auto& other) {
    return about_equal(one.distortion, other.distortion) &&
           about_equal(one.perception, other.perception);
  };
  if (a.pictures.empty() || b.pictures.empty()) return a.count == b.count && same(a, b);
  return std::equal(a.pictures.begin(), a.pictures.end(), b.pictures.begin(), b.pictures.end(),
                    same);
}

/// The pictures of a task that some point cannot show, with the model that leaves them out first:
/// {name: model}.
inline std::map<std::string, std::string> left_out_pictures(const PerceptionDistortion& plane,
                                                            const std::string& task) {
  std::map<std::string, std::string> left_out;
  const auto look = [&](const auto& point, const std::string& who) {
    if (point.task != task) return;
    for (const auto& picture : point.pictures) {
      if (std::isfinite(picture.distortion) && std::isfinite(picture.perception)) continue;
      left_out.emplace(picture.name, who);
    }
  };
  for (const auto& point : plane.degraded) look(point, "degraded");
  for (const auto& point : plane.restored) look(point, point.model);
  for (const auto& line : plane.sharp) look(line, "true");
  return left_out;
}

/// Makes every mean of a task run over the same pictures: one that some point cannot show is left
/// out of all.
inline void average_over_same_pictures(PerceptionDistortion& plane) {
  for (const auto& task : plane.tasks()) {
    const auto left_out = left_out_pictures(plane, task);
    const auto mean = [&](const std::vector<PlanePicture>& pictures, double PlanePicture::*value) {
      std::vector<double> values;
      for (const auto& picture : pictures) {
        if (left_out.count(picture.name) == 0) values.push_back(picture.*value);
      }
      return statistics(values);
    };
    const auto place = [&](PlanePoint& point) {
      if (point.task != task || point.pictures.empty()) return;
      const auto distortion = mean(point.pictures, &PlanePicture::distortion);
      point.distortion = distortion.mean;
      point.perception = mean(point.pictures, &PlanePicture::perception).mean;
      point.count = static_cast<std::size_t>(distortion.count);
    };
    for (auto& point : plane.restored) place(point);
    for (auto& point : plane.degraded) place(point);
    for (auto& line : plane.sharp) {
      if (line.task != task || line.pictures.empty()) continue;
      line.perception = mean(line.pictures, &PlanePicture::perception).mean;
    }
  }
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
    if (detail::same_place(known, point)) return {};
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
/// Means run over the same pictures for all points of a task: one that has no finite score for
/// some model counts for none (`left_out_lines`).
///
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
    add_restored(plane, detail::plane_point(
                            plane, model, task, images, source,
                            [](const nlohmann::json& image) -> const auto& { return image; }));
    detail::average_over_same_pictures(plane);
    return warnings;
  }
  const auto& tasks = detail::member(scores, "tasks", source);
  TORCH_CHECK(task.empty() || tasks.contains(task), source, ": it has no task '", task, "'");
  for (const auto& [name, entry] : tasks.items()) {
    if (!task.empty() && name != task) continue;
    const auto where = source + ": task '" + printable(name) + "'";
    TORCH_CHECK(is_task_name(name), where,
                ": expected a name of lower-case letters, digits, '-' and '_'");
    const auto& images = detail::member(entry, "images", where);
    const auto point = [&](const std::string& which) {
      return detail::plane_point(
          plane, model, name, images, where, [&](const nlohmann::json& image) -> const auto& {
            return detail::member(image, which, where);
          });
    };
    add_restored(plane, point("restored"));
    const auto warning = add_degraded(plane, point("identity"));
    if (!warning.empty()) warnings.push_back(warning);
    detail::add_sharp(plane, name, images, where);
  }
  detail::average_over_same_pictures(plane);
  return warnings;
}

/// What the plane's means leave out, a line per task: "deblur: 2 of 9 pictures left out of all
/// means, without a finite score: 'a' (small), 'b' (degraded)"; and where points of a task are
/// still over different numbers of pictures.
inline std::vector<std::string> left_out_lines(const PerceptionDistortion& plane) {
  std::vector<std::string> lines;
  for (const auto& task : plane.tasks()) {
    detail::NamedFew few;
    for (const auto& [name, who] : detail::left_out_pictures(plane, task)) few.add(name, who);
    const auto part = plane.of_task(task);
    std::vector<PlanePoint> points = part.degraded;
    points.insert(points.end(), part.restored.begin(), part.restored.end());
    std::size_t pictures = 0;
    for (const auto& point : points) pictures = std::max(pictures, point.pictures.size());
    if (few.count() > 0) {
      lines.push_back(task + ": " + detail::of_pictures(few.count(), pictures) +
                      " left out of all means, without a finite score: " + few.text());
    }
    for (const auto& point : points) {
      if (point.count == points.front().count) continue;
      lines.push_back(task + ": " + point.model + " has " + std::to_string(point.count) +
                      " pictures, " + points.front().model + " has " +
                      std::to_string(points.front().count) + "; their points cannot be compared");
    }
  }
  return lines;
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
  auto json = read_json(file, "scores");
  TORCH_CHECK(json.is_object(), "scores '", file.string(),
              "': expected what limpid-evaluate --json writes, found something else");
  return json;
}

}  // namespace limpid
