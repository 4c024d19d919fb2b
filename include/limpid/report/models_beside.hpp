#pragma once

#include <limpid/metrics/evaluation.hpp>
#include <limpid/report/report_table.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// What one of several models scores on the tasks that it has.
struct ModelScores {
  std::string name;
  std::vector<TaskEvaluation> tasks{};

  /// The scores of a task, or nullptr where the model lacks it.
  const TaskEvaluation* of(const std::string& task) const {
    const auto found = std::find_if(tasks.begin(), tasks.end(),
                                    [&](const auto& scores) { return scores.task == task; });
    return found == tasks.end() ? nullptr : &*found;
  }
};

/// Several models on the same pictures. A row for each task and metric: the degraded pictures, then
/// the gain over them of `restored` and of each model beside it.
/// @param name  what the table calls the model of `restored`
inline ReportTable beside_table(const std::vector<TaskEvaluation>& restored,
                                const std::vector<ModelScores>& models,
                                const std::string& name = "restored") {
  ReportTable table{.title = "Models side by side",
                    .caption =
                        "Means over the same pictures; beside them what they add to "
                        "the degraded ones.",
                    .columns = {"", "degraded", name},
                    .groups = {}};
  for (const auto& model : models) table.columns.push_back(model.name);
  const auto cell = [](const TaskEvaluation& scores, std::size_t i) {
    const auto& metric = scores.metrics[i];
    return ReportCell{mean_text(metric, scores.restored(i)),
                      mean_text(metric, scores.gain(i), true)};
  };
  for (const auto& task : restored) {
    ReportRows rows{task.task, {}};
    for (std::size_t i = 0; i < task.metrics.size(); ++i) {
      const auto& metric = task.metrics[i];
      auto& row = rows.rows.emplace_back();
      row.push_back({metric.name, metric.unit});
      row.push_back({mean_text(metric, task.identity(i))});
      row.push_back(cell(task, i));
      for (const auto& model : models) {
        const auto* scores = model.of(task.task);
        row.push_back(scores != nullptr ? cell(*scores, i) : ReportCell{"no such task"});
      }
    }
    table.groups.push_back(std::move(rows));
  }
  return table;
}

/// A table of numbers for terminals, what is small on the page beside them: "27.31 +1.05".
inline std::string text_table(const ReportTable& table) {
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
  return detail::aligned(rows, 2);
}

/// {NAME: {TASK: {METRIC: {"restored": mean, "gain": mean}}}}
inline nlohmann::json to_json(const std::vector<ModelScores>& models) {
  auto json = nlohmann::json::object();
  for (const auto& model : models) {
    for (const auto& task : model.tasks) {
      for (std::size_t i = 0; i < task.metrics.size(); ++i) {
        auto& scores = json[model.name][task.task][task.metrics[i].name];
        scores["restored"] = detail::json_number(task.restored(i).mean);
        scores["gain"] = detail::json_number(task.gain(i).mean);
      }
    }
  }
  return json;
}

}  // namespace limpid
