#pragma once

// limpid-evaluate --report: a page, its scores, and a strip of pictures.

#include <limpid/metrics/evaluation.hpp>
#include <limpid/report/report.hpp>
#include <limpid/report/report_strip.hpp>
#include <limpid/report/training_facts.hpp>
#include <limpid/report/training_log.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace examples {

/// The command line of a report.
struct ReportPlan {
  std::filesystem::path folder, log;
  std::string title = "What limpid restored", summary;
  std::vector<std::string> notes;
};

inline void add_report(CLI::App& app, CLI::Option* model, ReportPlan& plan) {
  auto* report = app.add_option("--report", plan.folder,
                                "Write DIR/index.html, DIR/metrics.json and DIR/strip.png");
  report->type_name("DIR")->needs(model)->group("Report");
  const auto add = [&](const std::string& name, auto& value, const std::string& text) {
    return app.add_option(name, value, text)->needs(report)->group("Report");
  };
  add("--title", plan.title, "Of the report")->type_name("TEXT");
  add("--summary", plan.summary, "A sentence or two under the title")->type_name("TEXT");
  add("--note", plan.notes, "A remark at the report's end; may come again")->type_name("TEXT");
  add("--log", plan.log, "The run's metrics.jsonl [the one beside the model]")->type_name("FILE");
}

/// Adds to `report` what the plan and the run's log say, and writes it.
inline void write_report(const ReportPlan& plan, limpid::Report report,
                         const std::filesystem::path& model, const std::string& scores) {
  report.title = plan.title;
  report.summary = plan.summary;
  report.notes = plan.notes;
  const auto file = plan.log.empty() ? model.parent_path() / "metrics.jsonl" : plan.log;
  if (!plan.log.empty() || std::filesystem::exists(file)) {
    const auto log = limpid::read_training_log(file);
    report.plots = limpid::run_plots(log);
    for (auto& table : limpid::interference_tables(log.interference)) {
      report.tables.push_back(std::move(table));
    }
    for (auto& task : report.tasks) task.plots = limpid::task_plots(log, task.evaluation.task);
  }
  limpid::write_report(plan.folder / "index.html", report, {.max_side = 640});
  limpid::write_atomically(plan.folder / "metrics.json", scores);
  const bool has_pictures = std::any_of(report.tasks.begin(), report.tasks.end(),
                                        [](const auto& task) { return !task.pictures.empty(); });
  if (has_pictures) limpid::report_strip(report.tasks).save(plan.folder / "strip.png");
}

}  // namespace examples
