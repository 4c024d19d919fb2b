#pragma once

#include <limpid/io/json_file.hpp>
#include <limpid/io/regular_file.hpp>
#include <limpid/report/interference_log.hpp>
#include <limpid/report/log_point.hpp>
#include <limpid/report/plot.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// The curves of a training run, over its steps.
struct TrainingLog {
  /// TASK -> term ("content", "adversarial", "critic", "total" ...) -> curve
  std::map<std::string, std::map<std::string, Series>> losses{};
  /// TASK -> metric ("psnr_rgb", and "identity_psnr_rgb" for the degraded input) -> curve
  std::map<std::string, std::map<std::string, Series>> validation{};
  /// Of the tasks' gradients of the shared encoder, where the run looked at them.
  InterferenceLog interference{};
  Series rate{"learning rate"};
  Series images_per_second{"images/s"};
  double seconds = 0;             ///< the largest time the log names
  std::int64_t steps = 0;         ///< the largest step the log names
  std::int64_t broken_lines = 0;  ///< lines that are no JSON object: a run was killed as it wrote
};

namespace detail {

/// Adds the values of a line: {TASK: {TERM: number}}. What is no number, such as "none" where a
/// mean has no picture, leaves a gap in its curve; objects are no curves.
inline void add_points(std::map<std::string, std::map<std::string, Series>>& tasks,
                       const nlohmann::json& values, double step) {
  if (!values.is_object()) return;
  for (const auto& [task, terms] : values.items()) {
    if (!terms.is_object()) continue;
    for (const auto& [term, value] : terms.items()) {
      if (value.is_structured()) continue;
      auto& series = tasks[task][term];
      series.label = term;
      add_point(series, step, number_or_nan(value));
    }
  }
}

/// The means of a validation that has them as limpid-evaluate writes them, {"restored": {METRIC:
/// {"mean": m}}, "identity": {...}}, beside those that it has as plain numbers.
inline nlohmann::json with_plain_means(const nlohmann::json& tasks) {
  auto plain = tasks;
  if (!plain.is_object()) return plain;
  for (auto& terms : plain) {
    for (const auto& [part, prefix] : {std::pair{"restored", ""}, {"identity", "identity_"}}) {
      if (!terms.is_object() || !terms.contains(part) || !terms[part].is_object()) continue;
      const auto metrics = terms[part];
      for (const auto& [metric, statistics] : metrics.items()) {
        const auto name = prefix + metric;
        if (terms.contains(name) || !statistics.is_object()) continue;
        terms[name] = statistics.value("mean", nlohmann::json{});
      }
    }
  }
  return plain;
}

}  // namespace detail

/// Reads a metrics.jsonl: one JSON object per line, kinds "train", "validation" and "interference".
///
/// A line that is cut short, as a killed run leaves one, is counted and passed over; other kinds
/// and unknown keys are passed over.
///
/// @throws c10::Error if the file cannot be read.
inline TrainingLog read_training_log(const std::filesystem::path& path) {
  const auto problem = why_not_regular(path);
  TORCH_CHECK(problem.empty(), "cannot read '", path.string(), "': ", problem);
  errno = 0;
  std::ifstream stream{path};
  TORCH_CHECK(stream.is_open(), "cannot read '", path.string(), "': ", std::strerror(errno));
  TrainingLog log;
  std::string line;
  while (std::getline(stream, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const bool is_deep = detail::json_depth(line, JsonLimits{}.depth) > JsonLimits{}.depth;
    const auto json = is_deep ? nlohmann::json{} : nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) {
      ++log.broken_lines;
      continue;
    }
    const auto number = [&](const char* key) {
      const auto found = json.find(key);
      return found != json.end() ? detail::number_or_nan(*found)
                                 : std::numeric_limits<double>::quiet_NaN();
    };
    const auto kind = json.find("kind");
    const auto step = number("step");
    if (kind == json.end() || !kind->is_string() || !std::isfinite(step)) continue;
    log.steps = std::max(log.steps, static_cast<std::int64_t>(step));
    if (const auto seconds = number("seconds"); seconds > log.seconds) log.seconds = seconds;
    if (*kind == "train") {
      if (json.contains("losses")) detail::add_points(log.losses, json["losses"], step);
      if (json.contains("rate")) detail::add_point(log.rate, step, number("rate"));
      if (json.contains("images_per_second")) {
        detail::add_point(log.images_per_second, step, number("images_per_second"));
      }
    } else if (*kind == "interference") {
      log.interference.add(json, step);
    } else if (*kind == "validation") {
      if (json.contains("tasks")) {
        detail::add_points(log.validation, detail::with_plain_means(json["tasks"]), step);
      }
    }
  }
  return log;
}

/// The plots of one task: its validation PSNR against what went in, what its generator minimises,
/// and the terms of its critic where it has one.
inline std::vector<Plot> task_plots(const TrainingLog& log, const std::string& task) {
  std::vector<Plot> plots;
  if (const auto found = log.validation.find(task); found != log.validation.end()) {
    Plot plot{"Validation PSNR (RGB)", "step", "dB"};
    for (const auto& [key, label] :
         {std::pair{"psnr_rgb", "restored"}, std::pair{"identity_psnr_rgb", "degraded input"}}) {
      const auto series = found->second.find(key);
      if (series == found->second.end()) continue;
      plot.series.push_back(Series{label, series->second.x, series->second.y});
    }
    if (!plot.series.empty()) plots.push_back(plot);
  }
  if (const auto found = log.losses.find(task); found != log.losses.end()) {
    Plot content{"Training loss", "step", "loss"}, game{"Adversarial terms", "step", "loss"};
    for (const auto& [term, series] : found->second) {
      const auto is_content = term == "content" || term == "total";
      if (is_content) content.series.push_back(series);
      if (!is_content) game.series.push_back(series);
    }
    const auto same = [](const Series& a, const Series& b) { return a.x == b.x && a.y == b.y; };
    if (content.series.size() == 2 && same(content.series[0], content.series[1])) {
      content.series.pop_back();
    }
    if (!content.series.empty()) plots.push_back(content);
    if (!game.series.empty()) plots.push_back(game);
  }
  return plots;
}

/// The plots of the whole run: its speed, its learning rate, and how much its tasks agreed.
inline std::vector<Plot> run_plots(const TrainingLog& log) {
  std::vector<Plot> plots;
  if (!log.images_per_second.x.empty()) {
    plots.push_back(Plot{"Speed", "step", "images/s", {log.images_per_second}});
  }
  if (!log.rate.x.empty()) plots.push_back(Plot{"Learning rate", "step", "rate", {log.rate}});
  for (auto& plot : interference_plots(log.interference)) plots.push_back(std::move(plot));
  return plots;
}

}  // namespace limpid
