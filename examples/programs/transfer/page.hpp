#pragma once

// limpid-transfer: index.html and results.json from what is finished.

#include <limpid/io/atomic_file.hpp>
#include <limpid/report/report.hpp>
#include <limpid/version.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "plan.hpp"
#include "results.hpp"

namespace examples {

constexpr auto kTransferTest =
    "The score of a run is taken to be that of the way it was trained, plus what its seed does to "
    "all ways alike (first weights, crops, degradations), plus chance; both are fitted by least "
    "squares (the two-way analysis of variance without interaction), and chance is taken to be as "
    "large for all ways. p: two-sided t test of the difference of two ways; of two ways with the "
    "same seeds alone it would be the paired t test. p adjusted: raised for the number of "
    "comparisons in the table, after Holm. Beyond noise: p adjusted below 0.05. The test pictures "
    "are the same for all runs, and nothing is said about other pictures.";

/// What weightings are compared with beside the tasks alone.
constexpr auto kPlainSum = "equal";

inline std::string transfer_number(double value, int digits, bool with_sign) {
  if (std::isnan(value)) return "none";
  char text[64];
  std::snprintf(text, sizeof text, with_sign ? "%+.*f" : "%.*f", digits, value);
  return text;
}

inline int digits_of(const limpid::AnyMetric& metric) { return metric.unit == "dB" ? 2 : 4; }

inline std::string p_text(double p) {
  return p < 0.001 ? "p below 0.001" : "p " + transfer_number(p, 3, false);
}

/// "+0.12", and small below "± 0.03; p 0.040, adjusted 0.31".
inline limpid::ReportCell gain_cell(const TransferGain& gain, int digits) {
  limpid::ReportCell cell{transfer_number(gain.difference.mean, digits, true)};
  const auto deviation = deviation_of(gain.by_seed);
  if (!std::isnan(deviation)) {
    cell.note = "\xc2\xb1 " + transfer_number(deviation, digits, false);
  }
  if (!std::isnan(gain.difference.p)) {
    cell.note += (cell.note.empty() ? "" : "; ") + p_text(gain.difference.p) + ", adj. " +
                 transfer_number(gain.p_adjusted, 2, false);
  }
  if (gain.is_beyond_noise()) cell.verdict = gain.difference.mean > 0 ? "better" : "worse";
  return cell;
}

/// A row for each weighting, a column for each task and the mean over them.
inline limpid::ReportTable gains_table(const TransferResults& results,
                                       const std::vector<TransferGain>& gains,
                                       const limpid::AnyMetric& metric, const std::string& title,
                                       const std::string& caption) {
  limpid::ReportTable table{title, caption, {"Weighting", "Seeds"}, {}};
  for (const auto& task : results.tasks()) table.columns.push_back(task);
  table.columns.push_back("mean over tasks");
  limpid::ReportRows rows;
  for (const auto& weighting : results.weightings()) {
    const auto seeds = results.shared(weighting, TransferResults::kAllTasks, metric.name).size();
    std::vector<limpid::ReportCell> row{{weighting}, {std::to_string(seeds)}};
    for (const auto& gain : gains) {
      if (gain.weighting == weighting) row.push_back(gain_cell(gain, digits_of(metric)));
    }
    if (row.size() > 2) rows.rows.push_back(std::move(row));
  }
  table.groups.push_back(std::move(rows));
  return table;
}

inline limpid::ReportCell spread_cell(const std::vector<double>& numbers, int digits) {
  limpid::ReportCell cell{transfer_number(mean_of(numbers), digits, false)};
  const auto deviation = deviation_of(numbers);
  if (!std::isnan(deviation)) cell.note = "\xc2\xb1 " + transfer_number(deviation, digits, false);
  return cell;
}

/// The scores behind the gains.
inline limpid::ReportTable scores_table(const TransferResults& results) {
  limpid::ReportTable table{"The scores themselves",
                            "Mean over the test pictures, then over the seeds, \xc2\xb1 standard "
                            "deviation over the seeds.",
                            {"Runs", "Seeds"},
                            {}};
  for (const auto& task : results.tasks()) table.columns.push_back(task);
  for (const auto& metric : transfer_metrics()) {
    limpid::ReportRows rows{metric.label + (metric.unit.empty() ? "" : ", " + metric.unit), {}};
    std::vector<limpid::ReportCell> degraded{{"degraded input"}, {""}}, alone{{"alone"}, {""}};
    std::size_t seeds = 0;
    for (const auto& task : results.tasks()) {
      auto inputs = numbers_of(results.alone(task, metric.name, "identity"));
      inputs.resize(std::min<std::size_t>(inputs.size(), 1));  // the same for all seeds
      degraded.push_back(spread_cell(inputs, digits_of(metric)));
      const auto scores = numbers_of(results.alone(task, metric.name));
      alone.push_back(spread_cell(scores, digits_of(metric)));
      seeds = std::max(seeds, scores.size());
    }
    alone[1].text = std::to_string(seeds);
    rows.rows = {degraded, alone};
    for (const auto& weighting : results.weightings()) {
      const auto& all = TransferResults::kAllTasks;
      std::vector<limpid::ReportCell> row{
          {weighting}, {std::to_string(results.shared(weighting, all, metric.name).size())}};
      for (const auto& task : results.tasks()) {
        const auto scores = numbers_of(results.shared(weighting, task, metric.name));
        row.push_back(spread_cell(scores, digits_of(metric)));
      }
      rows.rows.push_back(std::move(row));
    }
    table.groups.push_back(std::move(rows));
  }
  return table;
}

/// Mean of one run's number over another.
inline double per_step(const TransferResults& results, const std::string& weighting,
                       const std::string& what) {
  if (what == "cpu_seconds_per_step") return mean_of(results.values(weighting, what));
  const auto seconds = mean_of(results.values(weighting, "seconds"));
  return seconds / mean_of(results.values(weighting, "steps"));
}

/// Time and agreement of each weighting.
inline limpid::ReportTable costs_table(const TransferResults& results) {
  limpid::ReportTable table{
      "Cost in time, and whether the tasks agree",
      "Seconds a step, by the wall clock and of the processor's time over all threads; below, "
      "times that of equal weights. On a machine with other work the first means little. Cosine "
      "of each two tasks' gradients of the encoder: mean over the looks of all runs; below 0 they "
      "are in conflict.",
      {"Weighting", "wall s", "CPU s"},
      {}};
  limpid::ReportRows rows;
  for (const auto& weighting : results.weightings()) {
    std::vector<limpid::ReportCell> row{{weighting}};
    for (const auto* what : {"seconds", "cpu_seconds_per_step"}) {
      const auto seconds = per_step(results, weighting, what);
      const auto ratio = seconds / per_step(results, kPlainSum, what);
      limpid::ReportCell cell{transfer_number(seconds, 4, false)};
      if (std::isfinite(ratio) && weighting != kPlainSum) {
        cell.note = "x " + transfer_number(ratio, 3, false);
      }
      row.push_back(std::move(cell));
    }
    for (const auto& pair : results.agreements(weighting)) {
      if (std::find(table.columns.begin(), table.columns.end(), pair.tasks) ==
          table.columns.end()) {
        table.columns.push_back(pair.tasks);
      }
      row.push_back(
          {transfer_number(mean_of(pair.cosines), 3, true),
           "conflict in " + std::to_string(pair.conflicts) + " of " + std::to_string(pair.looks)});
    }
    rows.rows.push_back(std::move(row));
  }
  table.groups.push_back(std::move(rows));
  return table;
}

/// What the comparisons say, in words.
/// @param than  what the weightings are compared with
inline std::string finding(const std::vector<TransferGain>& gains, const std::string& than) {
  std::string better, worse;
  std::size_t compared = 0;
  for (const auto& gain : gains) {
    compared += std::isnan(gain.difference.p) ? 0 : 1;
    if (!gain.is_beyond_noise()) continue;
    auto& text = gain.difference.mean > 0 ? better : worse;
    text += (text.empty() ? "" : ", ") + gain.weighting + " (" +
            (gain.task == TransferResults::kAllTasks ? "mean over tasks" : gain.task) + " " +
            transfer_number(gain.difference.mean, 2, true) + " dB)";
  }
  if (compared == 0) return "Against " + than + " nothing can be tested yet.";
  return "Against " + than + ", beyond noise over " + std::to_string(compared) +
         " comparisons of PSNR: better " + (better.empty() ? "nothing" : better) + "; worse " +
         (worse.empty() ? "nothing" : worse) + ".";
}

inline nlohmann::json gains_json(const std::vector<TransferGain>& gains) {
  auto json = nlohmann::json::object();
  for (const auto& gain : gains) {
    const auto task = gain.task == TransferResults::kAllTasks ? "mean over tasks" : gain.task;
    json[gain.weighting][task] = {{"gain", number_or_none(gain.difference.mean)},
                                  {"by_seed", gain.by_seed},
                                  {"deviation", number_or_none(deviation_of(gain.by_seed))},
                                  {"p", number_or_none(gain.difference.p)},
                                  {"p_adjusted", number_or_none(gain.p_adjusted)},
                                  {"beyond_noise", gain.is_beyond_noise()}};
  }
  return json;
}

/// @param settings    of the folder
/// @param unfinished  runs of this plan
/// @param remarks     on the data and the networks, for the page
inline void write_transfer_page(const TransferPlan& plan, const nlohmann::json& settings,
                                const TransferResults& results, std::size_t unfinished,
                                const std::vector<std::string>& remarks) {
  limpid::Report report;
  report.title = "What sharing costs";
  std::string tasks;
  for (const auto& task : results.tasks()) tasks += (tasks.empty() ? "" : ", ") + task;
  report.summary = "Recipe " + plan.recipe + ", tasks " + tasks + ", each run " + plan.budget_text +
                   ". A task alone trains as long, on as many of its own "
                   "pictures, with the same network and a decoder.";
  report.tiles = false;
  nlohmann::json json{{"settings", settings}, {"test", kTransferTest}};
  std::vector<std::string> findings;
  for (const auto& metric : transfer_metrics()) {
    const auto alone = transfer_gains(results, metric.name);
    const auto plain = transfer_gains(results, metric.name, kPlainSum);
    const auto unit = metric.unit.empty() ? metric.label : metric.label + ", " + metric.unit;
    report.tables.push_back(
        gains_table(results, alone, metric, "Against each task alone: " + unit,
                    "Gain over the task's twin that was trained alone: over all seeds, "
                    "\xc2\xb1 standard deviation over the seeds; p as below."));
    if (!results.shared(kPlainSum, TransferResults::kAllTasks, metric.name).empty()) {
      report.tables.push_back(gains_table(results, plain, metric, "Against equal weights: " + unit,
                                          "The same, over the runs that add the losses up."));
      json["against_equal"][metric.name] = gains_json(plain);
    }
    json["against_alone"][metric.name] = gains_json(alone);
    if (metric.unit != "dB") continue;
    findings.push_back(finding(alone, "each task alone"));
    findings.push_back(finding(plain, "equal weights"));
  }
  json["findings"] = findings;
  for (const auto& weighting : results.weightings()) {
    auto& cost = json["costs"][weighting];
    for (const auto* what : {"seconds", "cpu_seconds_per_step"}) {
      cost[what == std::string{"seconds"} ? "seconds_per_step" : what] =
          number_or_none(per_step(results, weighting, what));
    }
    for (const auto& pair : results.agreements(weighting)) {
      cost["agreement"][pair.tasks] = {{"cosine", number_or_none(mean_of(pair.cosines))},
                                       {"conflicts", pair.conflicts},
                                       {"looks", pair.looks}};
    }
  }
  json["failures"] = results.failures();
  json["unfinished"] = unfinished;
  report.warnings = findings;
  if (unfinished > 0) {
    report.warnings.push_back(std::to_string(unfinished) + " of the runs are not finished yet.");
  }
  for (const auto& failure : results.failures()) {
    report.warnings.push_back("Failed: " + failure);
  }
  report.warnings.insert(report.warnings.end(), remarks.begin(), remarks.end());
  report.tables.push_back(scores_table(results));
  report.tables.push_back(costs_table(results));
  std::string protocols, data;
  for (const auto& metric : transfer_metrics()) {
    protocols += (protocols.empty() ? "" : "\n") + metric.label + ": " + metric.protocol;
  }
  for (const auto& text : plan.data) data += (data.empty() ? "trained: " : "\ntrained: ") + text;
  for (const auto& text : plan.test) data += "\ntested: " + text;
  report.facts = {
      {"The test", kTransferTest},
      {"How the scores are computed", protocols},
      {"Data", data},
      {"Settings of all runs", limpid::json_text(settings), true},
      {"Versions", std::string{"limpid "} + limpid::kVersion + ", LibTorch " + TORCH_VERSION},
      {"Command", plan.command, true}};
  limpid::write_report(plan.out / "index.html", report);
  limpid::write_atomically(plan.out / "results.json", limpid::json_text(json));
}

}  // namespace examples
