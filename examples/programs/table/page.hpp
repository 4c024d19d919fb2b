#pragma once

// limpid-table: the page of a table, the paper's numbers beside ours.

#include <limpid/metrics/evaluation.hpp>
#include <limpid/recipes/tables.hpp>
#include <limpid/report/report.hpp>
#include <limpid/version.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "plan.hpp"
#include "run.hpp"

namespace examples {

/// A mean of a run's result: of "restored" or "identity" pictures.
/// @return not a number where the run or the task is not there.
inline double mean_of(const nlohmann::json& result, const std::string& task,
                      const std::string& which, const std::string& metric) {
  if (result.is_null() || !result.at("scores").at("tasks").contains(task)) return std::nan("");
  const auto& mean = result.at("scores").at("tasks").at(task).at(which).at(metric).at("mean");
  if (mean.is_number()) return mean.get<double>();
  return mean == "inf" ? INFINITY : std::nan("");
}

inline std::string decimals(double value, int count, bool with_sign = false) {
  if (std::isnan(value)) return "\xe2\x80\x93";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[64];
  std::snprintf(text, sizeof text, with_sign ? "%+.*f" : "%.*f", count, value);
  return text;
}

inline std::string metric_label(const std::string& name) {
  for (const auto& metric : table_metrics()) {
    if (metric.name == name) return metric.label;
  }
  return name;
}

/// A table's runs with their results; a run that is not finished has null.
template <class Recipe>
struct FinishedRuns {
  const limpid::recipes::PaperTable<Recipe>& table;
  std::vector<nlohmann::json> results;

  const nlohmann::json& of(const limpid::recipes::TableRun<Recipe>& run) const {
    return results[static_cast<std::size_t>(&run - table.runs.data())];
  }
};

/// The paper's numbers beside ours and beside the degraded input's.
template <class Recipe>
limpid::ReportTable paper_table(const FinishedRuns<Recipe>& runs) {
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
      double paper_psnr = std::nan(""), paper_ssim = std::nan("");
      std::string protocol = "ssim_uniform";
      for (const auto& paper : run.paper) {
        if (paper.task != task) continue;
        paper_psnr = paper.psnr;
        paper_ssim = paper.ssim;
        protocol = paper.ssim_metric;
      }
      const auto mean = [&](const std::string& which, const std::string& metric, int digits) {
        return limpid::ReportCell{decimals(mean_of(result, task, which, metric), digits)};
      };
      rows.rows.push_back({{task},
                           {decimals(paper_psnr, 2)},
                           mean("restored", "psnr_rgb", 2),
                           mean("identity", "psnr_rgb", 2),
                           {decimals(paper_ssim, 3)},
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
template <class Recipe>
limpid::ReportTable sharing_table(const FinishedRuns<Recipe>& runs) {
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
        const auto shared = mean_of(runs.of(run), task, "restored", metric);
        const auto alone = mean_of(alone_result, task, "restored", metric);
        const auto text = decimals(shared - alone, digits, true);
        const auto verdict = std::isnan(shared - alone)                            ? ""
                             : text.find_first_not_of("+-0.") == std::string::npos ? "same"
                             : shared > alone                                      ? "better"
                                                                                   : "worse";
        row.push_back({decimals(shared, digits)});
        row.push_back({decimals(alone, digits)});
        row.push_back({text, "", verdict});
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
template <class Recipe>
limpid::ReportTable protocols_table(const FinishedRuns<Recipe>& runs) {
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
        const auto mean = [&](const std::string& which) {
          return decimals(mean_of(runs.of(run), task, which, metric.name), digits);
        };
        row.push_back({mean("restored"), mean("identity")});
      }
      rows.rows.push_back(std::move(row));
    }
    table.groups.push_back(std::move(rows));
  }
  return table;
}

/// The runs' kept pictures, those of the paper's runs only.
template <class Recipe>
std::vector<limpid::ReportTask> samples_of(const TablePlan& plan,
                                           const FinishedRuns<Recipe>& runs) {
  std::vector<limpid::ReportTask> tasks;
  for (const auto& run : runs.table.runs) {
    const auto& result = runs.of(run);
    if (run.paper.empty() || result.is_null()) continue;
    for (const auto& task : run.tasks) {
      limpid::ReportTask shown;
      shown.evaluation.task = task + ", " + run.title;
      const auto picture = [&](const std::string& which) {
        return limpid::Image::load(sample_file(plan.out / run.name, task, which));
      };
      shown.pictures.push_back({result.at("samples").at(task).template get<std::string>(),
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
template <class Recipe>
void write_page(const TablePlan& plan, const limpid::recipes::PaperTable<Recipe>& table,
                const std::vector<std::string>& remarks) {
  FinishedRuns<Recipe> runs{table, {}};
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
