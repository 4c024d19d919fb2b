#pragma once

// limpid-evaluate --beside: further models on the same pictures.

#include <limpid/inference/any_restorer.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/report/report_table.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "../options.hpp"

namespace examples {

/// A model of --beside: a name for the tables, and its file.
struct NamedModel {
  std::string name;
  std::filesystem::path file;

  /// @param text  "NAME=FILE", or the file alone, which then is the name too
  static NamedModel parse(const std::string& text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) return {text, text};
    const NamedModel model{text.substr(0, equals), text.substr(equals + 1)};
    if (model.name.empty() || model.file.empty()) {
      throw UsageError("--beside: expected NAME=FILE, found '" + text + "'");
    }
    return model;
  }
};

/// What a model of --beside scores on the tasks that it has.
struct ModelScores {
  std::string name;
  std::vector<limpid::TaskEvaluation> tasks{};

  /// The scores of a task, or nullptr where the model lacks it.
  const limpid::TaskEvaluation* of(const std::string& task) const {
    const auto found = std::find_if(tasks.begin(), tasks.end(),
                                    [&](const auto& scores) { return scores.task == task; });
    return found == tasks.end() ? nullptr : &*found;
  }
};

/// A row for each task and metric: the degraded pictures, then the gain over them of `restored` and
/// of each model beside it.
inline limpid::ReportTable beside_table(const std::vector<limpid::TaskEvaluation>& restored,
                                        const std::vector<ModelScores>& models) {
  limpid::ReportTable table{.title = "Models side by side",
                            .caption =
                                "Means over the same pictures; beside them what they add to "
                                "the degraded ones.",
                            .columns = {"", "degraded", "restored"},
                            .groups = {}};
  for (const auto& model : models) table.columns.push_back(model.name);
  const auto cell = [](const limpid::TaskEvaluation& scores, std::size_t i) {
    const auto& metric = scores.metrics[i];
    return limpid::ReportCell{limpid::mean_text(metric, scores.restored(i)),
                              limpid::mean_text(metric, scores.gain(i), true)};
  };
  for (const auto& task : restored) {
    limpid::ReportRows rows{task.task, {}};
    for (std::size_t i = 0; i < task.metrics.size(); ++i) {
      const auto& metric = task.metrics[i];
      auto& row = rows.rows.emplace_back();
      row.push_back({metric.name, metric.unit});
      row.push_back({limpid::mean_text(metric, task.identity(i))});
      row.push_back(cell(task, i));
      for (const auto& model : models) {
        const auto* scores = model.of(task.task);
        row.push_back(scores != nullptr ? cell(*scores, i) : limpid::ReportCell{"no such task"});
      }
    }
    table.groups.push_back(std::move(rows));
  }
  return table;
}

/// The same table for terminals: "27.31 +1.05".
inline std::string text_of(const limpid::ReportTable& table) {
  std::vector<std::vector<std::string>> rows{{"task", "metric"}};
  rows.front().insert(rows.front().end(), table.columns.begin() + 1, table.columns.end());
  for (const auto& group : table.groups) {
    for (const auto& cells : group.rows) {
      std::vector<std::string> row{group.heading};
      for (const auto& cell : cells) {
        const bool has_gain = row.size() > 2 && !cell.note.empty();
        row.push_back(cell.text + (has_gain ? " " + cell.note : ""));
      }
      rows.push_back(std::move(row));
    }
  }
  return limpid::detail::aligned(rows, 2);
}

/// "beside": {NAME: {TASK: {METRIC: {"restored": mean, "gain": mean}}}}
inline nlohmann::json json_of(const std::vector<ModelScores>& models) {
  auto json = nlohmann::json::object();
  for (const auto& model : models) {
    for (const auto& task : model.tasks) {
      for (std::size_t i = 0; i < task.metrics.size(); ++i) {
        auto& scores = json[model.name][task.task][task.metrics[i].name];
        scores["restored"] = limpid::detail::json_number(task.restored(i).mean);
        scores["gain"] = limpid::detail::json_number(task.gain(i).mean);
      }
    }
  }
  return json;
}

}  // namespace examples
