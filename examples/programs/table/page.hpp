#pragma once

// limpid-table: the page of a table, the paper's numbers beside ours.

#include <limpid/metrics/evaluation.hpp>
#include <limpid/recipes/tables.hpp>
#include <limpid/report/report.hpp>
#include <limpid/version.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "plan.hpp"
#include "run.hpp"

namespace examples {

constexpr auto kDash = "\xe2\x80\x93";  ///< where a number is not there yet

inline std::string decimals(double value, int count, bool with_sign = false) {
  if (std::isnan(value)) return "none";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[64];
  std::snprintf(text, sizeof text, with_sign ? "%+.*f" : "%.*f", count, value);
  return text;
}

/// The scores of a run's pictures, of "restored" or "identity", by the pictures' names.
/// @return nothing where the run or the task is not there.
inline std::map<std::string, double> scores_of(const nlohmann::json& result,
                                               const std::string& task, const std::string& which,
                                               const std::string& metric) {
  std::map<std::string, double> scores;
  if (result.is_null() || !result.at("scores").at("tasks").contains(task)) return scores;
  for (const auto& image : result.at("scores").at("tasks").at(task).at("images")) {
    scores[image.at("name").get<std::string>()] =
        limpid::number_of_json(image.at(which).at(metric), "result of " + task);
  }
  return scores;
}

/// A mean, and over how many pictures it runs where that is not all.
inline limpid::ReportCell mean_cell(const limpid::Statistics& scores, int digits,
                                    bool with_sign = false) {
  limpid::ReportCell cell{decimals(scores.mean, digits, with_sign)};
  const auto count = limpid::count_text(scores);
  if (!count.empty()) cell.note = "over " + count;
  return cell;
}

/// The mean of a run's scores; a dash where the run or the task is not there.
inline limpid::ReportCell mean_cell(const nlohmann::json& result, const std::string& task,
                                    const std::string& which, const std::string& metric,
                                    int digits) {
  std::vector<double> scores;
  for (const auto& [name, score] : scores_of(result, task, which, metric)) scores.push_back(score);
  return scores.empty() ? limpid::ReportCell{kDash} : mean_cell(limpid::statistics(scores), digits);
}

/// What a shared encoder adds to a task that was trained alone, over the pictures that both have.
inline limpid::ReportCell difference_cell(const std::map<std::string, double>& alone,
                                          const std::map<std::string, double>& shared, int digits) {
  std::vector<double> before, after;
  for (const auto& [name, score] : shared) {
    const auto found = alone.find(name);
    if (found == alone.end()) continue;
    before.push_back(found->second);
    after.push_back(score);
  }
  if (before.empty()) return {kDash};
  const auto difference = limpid::gain_statistics(before, after);
  auto cell = mean_cell(difference, digits, true);
  if (difference.count > 0) {
    const bool is_none = cell.text.find_first_not_of("+-0.") == std::string::npos;
    cell.verdict = is_none ? "same" : difference.mean > 0 ? "better" : "worse";
  }
  return cell;
}

inline std::string metric_label(const std::string& name) {
  for (const auto& metric : table_metrics()) {
    if (metric.name == name) return metric.label;
  }
  return name;
}

/// A table's runs with their results; a run that is not finished has null.
struct FinishedRuns {
  const limpid::recipes::PaperTable& table;
  std::vector<nlohmann::json> results;

  const nlohmann::json& of(const limpid::recipes::TableRun& run) const {
    return results[static_cast<std::size_t>(&run - table.runs.data())];
  }
};

/// The paper's numbers beside ours and beside the degraded input's.
inline limpid::ReportTable paper_table(const FinishedRuns& runs) {
  limpid::ReportTable table{
      .title = "The paper and this machine",
      .caption = "Means over the test pictures; degraded: the input itself against the target.",
      .columns = {"Task", "PSNR, paper", "PSNR, here", "degraded", "SSIM, paper", "SSIM, here",
                  "degraded", "SSIM protocol"},
      .groups = {}};
  for (const auto& run : runs.table.runs) {
    if (run.paper.empty()) continue;
    const auto& result = runs.of(run);
    limpid::ReportRows rows{.heading = run.title + (result.is_null() ? ", not finished" : ""),
                            .rows = {}};
    for (const auto& task : run.tasks) {
      std::string paper_psnr = kDash, paper_ssim = kDash;
      std::string protocol = "ssim_uniform";
      for (const auto& paper : run.paper) {
        if (paper.task != task) continue;
        paper_psnr = decimals(paper.psnr, 2);
        paper_ssim = decimals(paper.ssim, 3);
        protocol = paper.ssim_metric;
      }
      const auto mean = [&](const std::string& which, const std::string& metric, int digits) {
        return mean_cell(result, task, which, metric, digits);
      };
      rows.rows.push_back({{task},
                           {paper_psnr},
                           mean("restored", "psnr_rgb", 2),
                           mean("identity", "psnr_rgb", 2),
                           {paper_ssim},
                           mean("restored", protocol, 3),
                           mean("identity", protocol, 3),
                           {metric_label(protocol)}});
    }
    table.groups.push_back(std::move(rows));
  }
  if (!runs.table.cited.empty()) {
    limpid::ReportRows rows{.heading = "Others. " + runs.table.cited_note, .rows = {}};
    for (const auto& other : runs.table.cited) {
      rows.rows.push_back({{other.method},
                           {decimals(other.psnr, 1)},
                           {},
                           {},
                           {decimals(other.ssim, 3)},
                           {},
                           {},
                           {"the thesis'"}});
    }
    table.groups.push_back(std::move(rows));
  }
  return table;
}

/// Each task that shares an encoder beside the same task trained alone.
inline limpid::ReportTable sharing_table(const FinishedRuns& runs) {
  limpid::ReportTable table{
      .title = "The price or the gain of sharing",
      .caption =
          "Each task of a shared encoder less the same task trained alone, by the same "
          "recipe.",
      .columns = {"Task", "PSNR, shared", "PSNR, alone", "difference", "SSIM, shared",
                  "SSIM, alone", "difference"},
      .groups = {}};
  for (const auto& run : runs.table.runs) {
    if (run.tasks.size() < 2) continue;
    limpid::ReportRows rows{.heading = run.title, .rows = {}};
    for (const auto& task : run.tasks) {
      const auto* twin = twin_of(runs.table, run, task);
      const auto& alone_result = twin == nullptr ? nlohmann::json(nullptr) : runs.of(*twin);
      std::vector<limpid::ReportCell> row{
          {task, twin == nullptr ? "its twin was left out" : std::string{}}};
      const auto add = [&](const std::string& metric, int digits) {
        const auto& shared_result = runs.of(run);
        row.push_back(mean_cell(shared_result, task, "restored", metric, digits));
        row.push_back(mean_cell(alone_result, task, "restored", metric, digits));
        row.push_back(difference_cell(scores_of(alone_result, task, "restored", metric),
                                      scores_of(shared_result, task, "restored", metric), digits));
      };
      add("psnr_rgb", 2);
      add("ssim_uniform", 4);
      rows.rows.push_back(std::move(row));
    }
    table.groups.push_back(std::move(rows));
  }
  return table;
}

/// Every run under every protocol of SSIM.
inline limpid::ReportTable protocols_table(const FinishedRuns& runs) {
  limpid::ReportTable table{.title = "Every run, every protocol",
                            .caption = "Restored; small below: the degraded input.",
                            .columns = {"Task"},
                            .groups = {}};
  const auto metrics = table_metrics();
  for (const auto& metric : metrics) table.columns.push_back(metric.label);
  for (const auto& run : runs.table.runs) {
    limpid::ReportRows rows{.heading = run.title, .rows = {}};
    for (const auto& task : run.tasks) {
      std::vector<limpid::ReportCell> row{{task}};
      for (const auto& metric : metrics) {
        const int digits = metric.unit == "dB" ? 2 : 4;
        auto cell = mean_cell(runs.of(run), task, "restored", metric.name, digits);
        const auto input = mean_cell(runs.of(run), task, "identity", metric.name, digits);
        cell.note += (cell.note.empty() ? "" : "; ") + input.text +
                     (input.note.empty() ? input.note : " (" + input.note + ")");
        row.push_back(std::move(cell));
      }
      rows.rows.push_back(std::move(row));
    }
    table.groups.push_back(std::move(rows));
  }
  return table;
}

/// The runs' kept pictures, those of the paper's runs only.
inline std::vector<limpid::ReportTask> samples_of(const TablePlan& plan, const FinishedRuns& runs) {
  std::vector<limpid::ReportTask> tasks;
  for (const auto& run : runs.table.runs) {
    const auto& result = runs.of(run);
    if (run.paper.empty() || result.is_null()) continue;
    for (const auto& task : run.tasks) {
      if (!result.at("samples").contains(task)) continue;  // none could be measured
      limpid::ReportTask shown;
      shown.evaluation.task = task + ", " + run.title;
      const auto picture = [&](const std::string& which) {
        return limpid::Image::load(sample_file(plan.out / run.name, task, which));
      };
      shown.pictures.push_back({result.at("samples").at(task).get<std::string>(),
                                picture("degraded"), picture("restored"), picture("target")});
      tasks.push_back(std::move(shown));
    }
  }
  return tasks;
}

/// What a reader must know before the numbers.
inline std::vector<std::string> table_warnings(const TablePlan& plan, std::size_t unfinished,
                                               const std::vector<std::string>& remarks) {
  std::vector<std::string> warnings;
  if (plan.smoke) {
    warnings.push_back(
        "A smoke run: narrow networks, " + std::to_string(kSmokeSteps) +
        " training steps unless told otherwise, small crops, at most " +
        std::to_string(kSmokeImages) +
        " parts of test pictures. It shows that everything works; its numbers mean nothing.");
  }
  if (plan.vgg.empty()) warnings.push_back("VGG-19 has random weights.");
  if (plan.table == "4.1" && plan.backbone.empty()) {
    warnings.push_back("The backbone began with random weights, not with ImageNet's.");
  }
  if (plan.epochs > 0 || plan.steps > 0) {
    warnings.push_back("The runs' length was changed: " +
                       (plan.epochs > 0 ? std::to_string(plan.epochs) + " epochs"
                                        : std::to_string(plan.steps) + " steps") +
                       " instead of the paper's 80 epochs.");
  }
  if (unfinished > 0) {
    warnings.push_back(std::to_string(unfinished) + " of the runs are not finished yet.");
  }
  warnings.insert(warnings.end(), remarks.begin(), remarks.end());
  return warnings;
}

/// Writes OUT/index.html and OUT/table.json's sibling results.json from what is finished.
inline void write_page(const TablePlan& plan, const limpid::recipes::PaperTable& table,
                       const std::vector<std::string>& remarks) {
  FinishedRuns runs{table, {}};
  std::size_t unfinished = 0;
  auto results = nlohmann::json::object();
  for (const auto& run : table.runs) {
    runs.results.push_back(read_result(result_file(plan.out / run.name)));
    if (runs.results.back().is_null()) ++unfinished;
    results[run.name] = runs.results.back();
  }
  limpid::Report report;
  report.title =
      std::string{plan.smoke ? "Smoke run of " : ""} + "Table " + table.number + ": " + table.title;
  report.summary =
      "T. Martyniuk, Multi-task learning for image restoration, Ukrainian Catholic University, "
      "2019, section 4.4.";
  report.warnings = table_warnings(plan, unfinished, remarks);
  report.tiles = false;
  report.tables = {paper_table(runs), sharing_table(runs), protocols_table(runs)};
  report.tasks = samples_of(plan, runs);
  std::string protocols;
  for (const auto& metric : table_metrics()) {
    protocols += (protocols.empty() ? "" : "\n") + metric.label + ": " + metric.protocol;
  }
  std::string data;
  for (const auto& text : plan.data) data += (data.empty() ? "trained: " : "\ntrained: ") + text;
  for (const auto& text : plan.test) data += "\ntested: " + text;
  report.facts = {
      {"How the scores are computed", protocols},
      {"Data", data},
      {"Device", plan.compute.device + ", " + plan.compute.precision + ", " +
                     std::to_string(plan.compute.threads) + " threads"},
      {"Versions", std::string{"limpid "} + limpid::kVersion + ", LibTorch " + TORCH_VERSION},
      {"Command", plan.command, true}};
  limpid::write_report(plan.out / "index.html", report, {.max_side = 640});
  limpid::write_atomically(plan.out / "results.json", limpid::json_text(results));
}

}  // namespace examples
