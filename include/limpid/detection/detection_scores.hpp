#pragma once

#include <limpid/detection/average_precision.hpp>
#include <limpid/metrics/score_json.hpp>
#include <limpid/metrics/score_text.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// How well a detector does on one kind of pictures: degraded, restored or sharp.
struct DetectionScores {
  double ap_50 = 0;                           ///< at overlap 0.5
  double ap_50_95 = 0;                        ///< mean over 0.5, 0.55 ... 0.95
  std::map<std::int64_t, double> by_class{};  ///< at overlap 0.5
  std::size_t found = 0;                      ///< all finds
};

/// The scores of many pictures; not a number where there is no truth.
inline DetectionScores detection_scores(const std::vector<DetectionPicture>& pictures,
                                        AveragePrecisionOptions options = {}) {
  DetectionScores scores;
  scores.ap_50_95 = average_precision_50_95(pictures, options);
  options.iou = 0.5;
  scores.ap_50 = average_precision(pictures, options);
  scores.by_class = class_average_precision(pictures, options);
  for (const auto& picture : pictures) scores.found += picture.found.size();
  return scores;
}

/// The truth where no boxes are given: what was found in the sharp picture, at least as sure as
/// `min_score`.
inline std::vector<LabelledBox> truth_of_finds(const std::vector<Detection>& found,
                                               double min_score) {
  std::vector<LabelledBox> truth;
  for (const auto& find : found) {
    if (find.score >= min_score) truth.push_back({find.box, find.label});
  }
  return truth;
}

/// What a restoration is worth to a detector, for one task: the same truth, sought in the degraded,
/// the restored and the sharp pictures.
struct DetectionEvaluation {
  std::string task;
  std::vector<DetectionPicture> degraded{}, restored{}, sharp{};

  void add(std::vector<Detection> in_degraded, std::vector<Detection> in_restored,
           std::vector<Detection> in_sharp, const std::vector<LabelledBox>& truth) {
    degraded.push_back({std::move(in_degraded), truth});
    restored.push_back({std::move(in_restored), truth});
    sharp.push_back({std::move(in_sharp), truth});
  }

  /// How many objects there are to be found.
  std::size_t truths(PrecisionCurve curve = PrecisionCurve::coco) const {
    std::size_t count = 0;
    for (const auto& picture : sharp) {
      for (const auto& truth : picture.truth) count += must_be_found(truth, curve) ? 1 : 0;
    }
    return count;
  }
};

namespace detail {

inline nlohmann::json json_scores(const DetectionScores& scores,
                                  const std::map<std::int64_t, std::string>& names) {
  auto classes = nlohmann::json::object();
  for (const auto& [label, value] : scores.by_class) {
    const auto name = names.find(label);
    classes[name == names.end() ? std::to_string(label) : name->second] = json_number(value);
  }
  return {{"ap50", json_number(scores.ap_50)},
          {"ap50_95", json_number(scores.ap_50_95)},
          {"ap50_by_class", std::move(classes)},
          {"found", scores.found}};
}

}  // namespace detail

/// {"tasks": {TASK: {"count", "truths", "degraded": {"ap50", "ap50_95", "ap50_by_class": {CLASS:
///   value}, "found"}, "restored": {...}, "sharp": {...}}}}
///
/// @param names  of the classes; those without one are called by their number.
inline nlohmann::json to_json(const std::vector<DetectionEvaluation>& evaluations,
                              const std::map<std::int64_t, std::string>& names = {},
                              const AveragePrecisionOptions& options = {}) {
  nlohmann::json json{{"tasks", nlohmann::json::object()}};
  for (const auto& evaluation : evaluations) {
    const auto scores = [&](const std::vector<DetectionPicture>& pictures) {
      return detail::json_scores(detection_scores(pictures, options), names);
    };
    json["tasks"][evaluation.task] = {{"count", evaluation.sharp.size()},
                                      {"truths", evaluation.truths(options.curve)},
                                      {"degraded", scores(evaluation.degraded)},
                                      {"restored", scores(evaluation.restored)},
                                      {"sharp", scores(evaluation.sharp)}};
  }
  return json;
}

/// A table for terminals: per task the three kinds of pictures.
inline std::string text_table(const std::vector<DetectionEvaluation>& evaluations,
                              const AveragePrecisionOptions& options = {}) {
  const auto number = [](double value) -> std::string {
    if (std::isnan(value)) return "none";
    char text[32];
    std::snprintf(text, sizeof text, "%.4f", value);
    return text;
  };
  std::vector<std::vector<std::string>> rows{
      {"task", "pictures", "images", "truths", "found", "AP50", "AP50:95"}};
  for (const auto& evaluation : evaluations) {
    const auto add = [&](const char* kind, const std::vector<DetectionPicture>& pictures) {
      const auto scores = detection_scores(pictures, options);
      rows.push_back({evaluation.task, kind, std::to_string(pictures.size()),
                      std::to_string(evaluation.truths(options.curve)),
                      std::to_string(scores.found), number(scores.ap_50), number(scores.ap_50_95)});
    };
    add("degraded", evaluation.degraded);
    add("restored", evaluation.restored);
    add("sharp", evaluation.sharp);
  }
  return detail::aligned(rows, 2);
}

}  // namespace limpid
