#pragma once

#include <limpid/metrics/left_out.hpp>
#include <limpid/metrics/score_json.hpp>
#include <limpid/metrics/score_text.hpp>
#include <limpid/metrics/scores.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace limpid {

/// A table for terminals: one line per task and metric, what went in, what came out, the gain, with
/// confidence intervals of the last two (`interval_note`); and what the true pictures score, where
/// a metric judges pictures alone. A mean that leaves pictures out says over how many it runs:
/// "36.90 (1 of 2)".
inline std::string text_table(const std::vector<TaskEvaluation>& evaluations) {
  const auto level = level_text({});
  bool with_target = false;
  for (const auto& evaluation : evaluations) {
    for (const auto& metric : evaluation.metrics) with_target |= !metric.needs_target;
  }
  std::vector<std::vector<std::string>> rows{
      {"task", "metric", "unit", "images", "identity", "restored", level, "gain", level}};
  if (with_target) rows.front().push_back("target");
  for (const auto& evaluation : evaluations) {
    for (std::size_t i = 0; i < evaluation.metrics.size(); ++i) {
      const auto& metric = evaluation.metrics[i];
      rows.push_back(
          {evaluation.task, metric.name, metric.unit, std::to_string(evaluation.images.size()),
           mean_text(metric, evaluation.identity(i)), mean_text(metric, evaluation.restored(i)),
           interval_text(metric, mean_interval(evaluation.scores(&ImageScores::restored, i))),
           mean_text(metric, evaluation.gain(i), true),
           interval_text(metric, mean_interval(evaluation.gains(i)), true)});
      if (metric.needs_target) continue;
      rows.back().push_back(mean_text(metric, evaluation.target(i)));
    }
  }
  return detail::aligned(rows, 3);
}

/// A table for terminals: one line per metric. Two programs whose means leave out different
/// pictures are compared by "pooled".
inline std::string text_table(const Comparison& comparison) {
  const auto& metrics = comparison.metrics;
  const bool any_pooled = std::any_of(metrics.begin(), metrics.end(),
                                      [](const AnyMetric& metric) { return metric.pools(); });
  std::vector<std::vector<std::string>> rows{
      {"metric", "unit", "images", "mean", level_text({}), "std"}};
  if (any_pooled) rows.front().push_back("pooled");
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const auto compared = comparison.compared(i);
    rows.push_back({metrics[i].name, metrics[i].unit, std::to_string(comparison.images.size()),
                    mean_text(metrics[i], compared),
                    interval_text(metrics[i], mean_interval(comparison.scores(i))),
                    format_score(metrics[i], compared.std)});
    if (const auto pooled = metrics[i].pooled(comparison.scores(i))) {
      rows.back().push_back(format_score(metrics[i], *pooled));
    }
  }
  return detail::aligned(rows, 2);
}

}  // namespace limpid
