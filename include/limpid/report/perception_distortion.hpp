#pragma once

#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/scores.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// One axis of the perception-distortion plane.
struct PlaneAxis {
  std::string name;        ///< as in JSON files: "niqe", "psnr_rgb"
  std::string label;       ///< as people read it
  std::string unit{};      ///< "dB", or nothing
  std::string protocol{};  ///< how exactly it is computed
  bool higher_is_better = false;

  /// The axis that shows a metric.
  static PlaneAxis of(const AnyMetric& metric) {
    return {metric.name, metric.label, metric.unit, metric.protocol, metric.higher_is_better};
  }

  /// Root mean squared error per picture, of values in 0 ... 255.
  static PlaneAxis rmse() {
    return {"rmse", "RMSE", "",
            "root of the mean squared error over all three channels of RGB, "
            "values 0..255, of each picture, then the mean over the pictures",
            false};
  }

  bool better(double a, double b) const { return higher_is_better ? a > b : a < b; }
};

/// The RMSE, of values in 0 ... 255, behind a PSNR in dB; 0 for an infinite one.
inline double rmse_of_psnr(double psnr) { return 255 * std::pow(10, -psnr / 20); }

/// One picture of a point; not a number where it has no score.
struct PlanePicture {
  std::string name;
  double distortion = std::numeric_limits<double>::quiet_NaN();
  double perception = std::numeric_limits<double>::quiet_NaN();
};

/// Pictures of one task, as a place in the plane: means over the pictures.
struct PlanePoint {
  std::string model;  ///< who restored them
  std::string task;
  double distortion = std::numeric_limits<double>::quiet_NaN();
  double perception = std::numeric_limits<double>::quiet_NaN();
  std::size_t count = 0;                 ///< pictures that both means run over
  std::vector<PlanePicture> pictures{};  ///< all, where they are known
};

/// How the true pictures of a task look: their distortion is none, so only one axis has a value.
struct PlaneLine {
  std::string task;
  double perception = std::numeric_limits<double>::quiet_NaN();
  std::vector<PlanePicture> pictures{};  ///< all, where they are known; they have no distortion
};

/// How far restored pictures are from the true ones (distortion) against how natural they look by
/// themselves (perception). No method can be best at both; one that another beats at both is
/// dominated.
///
/// Source: Blau and Michaeli, "The Perception-Distortion Tradeoff", CVPR 2018.
struct PerceptionDistortion {
  PlaneAxis distortion = PlaneAxis::rmse();
  PlaneAxis perception{"niqe", "NIQE"};
  std::vector<PlanePoint> restored{};  ///< a point per model and task
  std::vector<PlanePoint> degraded{};  ///< the input of each task
  std::vector<PlaneLine> sharp{};      ///< the true pictures of each task, where measured

  /// The tasks, in the order of their first point.
  std::vector<std::string> tasks() const { return names(&PlanePoint::task, true); }

  /// The models, in the order of their first point.
  std::vector<std::string> models() const { return names(&PlanePoint::model, false); }

  /// The plane of one task alone.
  PerceptionDistortion of_task(const std::string& task) const {
    PerceptionDistortion part{distortion, perception};
    for (const auto& point : restored) {
      if (point.task == task) part.restored.push_back(point);
    }
    for (const auto& point : degraded) {
      if (point.task == task) part.degraded.push_back(point);
    }
    for (const auto& line : sharp) {
      if (line.task == task) part.sharp.push_back(line);
    }
    return part;
  }

  /// The first model that is better than `point` at both in its task; empty where none is.
  std::string dominating(const PlanePoint& point) const {
    for (const auto& other : restored) {
      if (other.task == point.task && distortion.better(other.distortion, point.distortion) &&
          perception.better(other.perception, point.perception)) {
        return other.model;
      }
    }
    return {};
  }

 private:
  std::vector<std::string> names(std::string PlanePoint::*name, bool with_degraded) const {
    std::vector<std::string> names;
    const auto add = [&](const PlanePoint& point) {
      for (const auto& known : names) {
        if (known == point.*name) return;
      }
      names.push_back(point.*name);
    };
    for (const auto& point : restored) add(point);
    if (with_degraded) {
      for (const auto& point : degraded) add(point);
    }
    return names;
  }
};

/// {"axes": {"distortion": {"name", "protocol", "higher_is_better"}, "perception": {...}},
///  "tasks": {TASK: {"degraded": {"distortion", "perception"}, "sharp": {"perception"},
///   "restored": {MODEL: {"distortion", "perception", "images", "dominated_by"}}}}}
///
/// "dominated_by" is null where no model is better at both. What JSON cannot hold is a string.
inline nlohmann::json to_json(const PerceptionDistortion& plane) {
  const auto axis = [](const PlaneAxis& axis) {
    return nlohmann::json{{"name", axis.name},
                          {"protocol", axis.protocol},
                          {"higher_is_better", axis.higher_is_better}};
  };
  auto json = nlohmann::json::object();
  json["axes"] = {{"distortion", axis(plane.distortion)}, {"perception", axis(plane.perception)}};
  auto& tasks = json["tasks"] = nlohmann::json::object();
  const auto place = [](const PlanePoint& point) {
    return nlohmann::json{{"distortion", detail::json_number(point.distortion)},
                          {"perception", detail::json_number(point.perception)},
                          {"images", point.count}};
  };
  for (const auto& point : plane.degraded) tasks[point.task]["degraded"] = place(point);
  for (const auto& line : plane.sharp) {
    tasks[line.task]["sharp"] = {{"perception", detail::json_number(line.perception)}};
  }
  for (const auto& point : plane.restored) {
    auto entry = place(point);
    const auto by = plane.dominating(point);
    entry["dominated_by"] = by.empty() ? nlohmann::json{} : nlohmann::json(by);
    tasks[point.task]["restored"][point.model] = std::move(entry);
  }
  return json;
}

/// A value of an axis as people read it: two decimals in dB, else three.
inline std::string format_value(const PlaneAxis& axis, double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "none" : value > 0 ? "inf" : "-inf";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", axis.unit == "dB" ? 2 : 3, value);
  return text;
}

/// A table for terminals: per task the degraded pictures, each model's, and the true ones.
inline std::string text_table(const PerceptionDistortion& plane) {
  std::vector<std::vector<std::string>> rows{
      {"task", "pictures", "dominated by", "images", plane.distortion.name, plane.perception.name}};
  for (const auto& task : plane.tasks()) {
    const auto part = plane.of_task(task);
    const auto add = [&](const PlanePoint& point, const std::string& who, const std::string& by) {
      rows.push_back({task, who, by, std::to_string(point.count),
                      format_value(plane.distortion, point.distortion),
                      format_value(plane.perception, point.perception)});
    };
    for (const auto& point : part.degraded) add(point, "(degraded)", "");
    for (const auto& point : part.restored) add(point, point.model, part.dominating(point));
    for (const auto& line : part.sharp) {
      rows.push_back(
          {task, "(sharp)", "", "", "", format_value(plane.perception, line.perception)});
    }
  }
  return detail::aligned(rows, 3);
}

}  // namespace limpid
