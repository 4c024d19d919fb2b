// Measures a model on pairs of degraded and true pictures, or the pictures of any program:
//
//   limpid-evaluate --model run/model.limpid --data deblur=gopro:GoPro --report report
//   limpid-evaluate --compare restored/ true/
//   limpid-evaluate --compare restored/ true/ --against of_another_program/
//   limpid-evaluate --compare features.npy true.npz
//
// Prints a table: each metric of the degraded pictures (identity), of the restored ones, and the
// gain. --json writes the same with every picture's scores, --report a page with pictures.
#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/evaluate.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/report/models_beside.hpp>
#include <limpid/report/training_facts.hpp>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "evaluate/beside.hpp"
#include "evaluate/comparison.hpp"
#include "evaluate/metric_options.hpp"
#include "evaluate/report_page.hpp"
#include "evaluate/say_scores.hpp"
#include "evaluate/tasks_plan.hpp"
#include "failures.hpp"
#include "options.hpp"
#include "program.hpp"
#include "tile_note.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kShown = 4;  ///< pictures of a task on the page, spread over all

/// The command line.
struct Plan {
  fs::path model, json;
  examples::ComparisonPlan comparison;
  examples::TasksPlan tasks;
  examples::MetricOptions metrics;
  std::vector<std::string> beside;
  std::string name = "restored";
  std::string command;
  examples::ReportPlan report;
  limpid::Tiling tiling;
  int ensemble = 1;
  examples::Compute compute;
};

/// What was trained, how, and how it was measured.
std::vector<limpid::Fact> facts_of(const Plan& plan, const nlohmann::json& manifest) {
  char date[64];
  const auto now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  std::string data;
  for (const auto& text : plan.tasks.data) data += (data.empty() ? "" : "\n") + text;
  const auto& compute = plan.compute;
  auto facts = limpid::training_facts(manifest);
  facts.push_back({"Evaluated on", data});
  facts.push_back({"Device", compute.device + ", " + compute.precision + ", " +
                                 std::to_string(compute.threads) + " threads"});
  facts.push_back(
      {"Versions", std::string{"limpid "} + limpid::kVersion + ", LibTorch " + TORCH_VERSION});
  facts.push_back({"Date", date});
  facts.push_back({"Command", plan.command, true});
  return facts;
}

/// Whether a restorer gives a metric values that are not rounded to 8 bits.
bool sees_unrounded(const std::vector<limpid::AnyMetric>& metrics) {
  return std::any_of(metrics.begin(), metrics.end(),
                     [](const limpid::AnyMetric& metric) { return metric.unrounded; });
}

limpid::RestoredPicture restored(const limpid::AnyRestorer& restorer, const std::string& task,
                                 const limpid::Image& degraded, bool unrounded) {
  return examples::hinting_at_tiles([&]() -> limpid::RestoredPicture {
    if (!unrounded) return restorer.restore(task, degraded);
    return limpid::RestoredPicture::of_unit(restorer.restore_unit(task, degraded));
  });
}

/// A model of --beside, opened before anything is measured.
struct Beside {
  std::string name;
  limpid::AnyRestorer restorer;
};

/// The scores of a model of --beside on the same pictures, of the tasks that it has.
limpid::ModelScores scores_beside(const Beside& beside,
                                  const std::vector<examples::TaskPlan>& tasks,
                                  const std::vector<limpid::AnyMetric>& metrics,
                                  examples::Failures& failures, examples::Progress& progress) {
  limpid::ModelScores scores{beside.name};
  const auto& known = beside.restorer.tasks();
  for (const auto& planned : tasks) {
    const auto& task = planned.task;
    if (std::find(known.begin(), known.end(), task) == known.end()) continue;
    const auto restore = [&](const limpid::Image& degraded) {
      return restored(beside.restorer, task, degraded, sees_unrounded(metrics));
    };
    const auto show = [&](const limpid::EvaluatedPicture& picture) {
      progress.show(beside.name + "  " + task + "  " + std::to_string(picture.index + 1) + "/" +
                    std::to_string(planned.pairs.size()) + "  " + picture.name);
    };
    scores.tasks.push_back(limpid::evaluate(task, planned.pairs, restore, metrics, show));
    examples::say_failed(beside.name + ": " + task + " ", scores.tasks.back().images, failures,
                         progress);
  }
  return scores;
}

void evaluate(const Plan& plan) {
  const auto metrics = examples::metrics_of(plan.metrics);
  const auto options = examples::restorer_options(plan.compute, plan.tiling, plan.ensemble);
  const auto arguments = examples::parse_data("--data", plan.tasks.data);
  const limpid::AnyRestorer restorer{plan.model, options};
  for (const auto& argument : arguments) restorer.check_task(argument.task);
  std::vector<Beside> others;
  for (const auto& text : plan.beside) {
    const auto named = examples::NamedModel::parse(text);
    others.push_back({named.name, limpid::AnyRestorer{named.file, options}});
  }
  if (!plan.report.folder.empty()) examples::make_folder("--report", plan.report.folder);
  const auto tasks = examples::plan_tasks(plan.tasks, arguments);

  const bool unrounded = sees_unrounded(metrics);
  examples::Progress progress;
  examples::Failures failures{"limpid-evaluate"};
  examples::TileNote tiles{progress};
  limpid::Report report;
  std::vector<limpid::TaskEvaluation> scores;
  for (const auto& planned : tasks) {
    const auto& task = planned.task;
    const auto& to = planned.folder;
    const auto count = planned.pairs.size();
    if (count < planned.all) {
      report.warnings.push_back(task + ": the first " + std::to_string(count) + " of " +
                                std::to_string(planned.all) + " pictures only");
    }
    const auto shown = plan.report.folder.empty() ? 0 : std::min(kShown, count);
    limpid::ReportTask reported;
    const auto keep = [&](const limpid::EvaluatedPicture& picture) {
      progress.show(task + "  " + std::to_string(picture.index + 1) + "/" + std::to_string(count) +
                    "  " + picture.name);
      if (!to.empty()) picture.restored.save(examples::saved_as(to, picture.name));
      const auto next = static_cast<std::int64_t>(reported.pictures.size());
      if (next < shown && picture.index >= next * count / shown) {
        reported.pictures.push_back(
            {picture.name, picture.degraded, picture.restored, picture.target});
      }
    };
    const auto restore = [&](const limpid::Image& degraded) -> limpid::RestoredPicture {
      const auto height = degraded.height(), width = degraded.width();
      if (!to.empty()) {
        limpid::Image::check_can_be_saved(examples::saved_as(to, "restored"), height, width);
      }
      tiles.look_at(task + ": " + examples::size_text(degraded),
                    restorer.plan(task, height, width));
      return restored(restorer, task, degraded, unrounded);
    };
    reported.evaluation = limpid::evaluate(task, planned.pairs, restore, metrics, keep);
    examples::say_failed(task + " ", reported.evaluation.images, failures, progress);
    scores.push_back(reported.evaluation);
    report.tasks.push_back(std::move(reported));
  }
  std::vector<limpid::ModelScores> beside;
  for (const auto& other : others) {
    beside.push_back(scores_beside(other, tasks, metrics, failures, progress));
  }
  progress.end();
  examples::print_scores(scores, metrics);
  auto json = to_json(scores);
  if (!beside.empty()) {
    auto table = limpid::beside_table(scores, beside, plan.name);
    examples::print("\n%s\n", limpid::text_table(table).c_str());
    json["beside"] = to_json(beside);
    report.tables.push_back(std::move(table));
  }
  json["tiles"] = tiles.json();
  examples::write_json(plan.json, json);
  if (!plan.report.folder.empty()) {
    if (!tiles.are_exact()) {
      report.warnings.push_back("Restored in tiles, which may differ from the whole picture: " +
                                std::to_string(tiles.pictures()) + " of the pictures");
    }
    report.facts = facts_of(plan, restorer.manifest());
    examples::write_report(plan.report, std::move(report), plan.model, limpid::json_text(json));
  }
  std::vector<limpid::PictureScores> pictures;
  for (const auto& task : scores) {
    for (const auto& image : task.images) pictures.push_back(image.restored);
  }
  examples::check_measured(pictures);
  failures.check(pictures.size(), "measured");
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"Measures restored pictures against true ones.", "limpid-evaluate"};
  auto* model = app.add_option("--model", plan.model, "A model.limpid that limpid-train wrote");
  model->type_name("FILE")->group("Model");
  auto* data = app.add_option("--data", plan.tasks.data, limpid::data_argument_help());
  data->type_name("TASK=FORMAT:PATH[@PART]")->needs(model)->group("Model");
  model->needs(data);
  examples::add_comparison(app, model, plan.comparison);
  app.add_option("--beside", plan.beside,
                 "A further model on the same pictures, for a table of all; may come again")
      ->type_name("NAME=FILE")
      ->needs(model)
      ->group("Model");
  app.add_option("--name", plan.name, "What that table calls the model of --model")
      ->capture_default_str()
      ->type_name("NAME")
      ->needs(model)
      ->group("Model");
  examples::add_metrics(app, plan.metrics);
  examples::add_json(app, plan.json, "Write all scores");
  app.add_option("--max-images", plan.tasks.max_images, "At most so many pictures of each task")
      ->check(examples::Whole{})
      ->type_name("N")
      ->needs(model)
      ->group("Model");
  auto* save =
      app.add_option("--save", plan.tasks.save, "Keep the restored pictures: DIR/TASK/NAME.png");
  save->type_name("DIR")->needs(model)->group("Model");
  app.add_flag("--overwrite", plan.tasks.overwrite, "Replace pictures of --save that are there")
      ->needs(save)
      ->group("Model");
  examples::add_tiling(app, plan.tiling);
  examples::add_tiling_kind(app, plan.tiling);
  examples::add_ensemble(app, plan.ensemble);
  examples::add_max_pixels(app);
  examples::add_report(app, model, plan.report);
  examples::add_compute(app, plan.compute);
  plan.command = examples::command_line(argc, argv);
  return examples::run_program(app, argc, argv, [&] {
    examples::try_output("--json", plan.json);
    if (!plan.comparison.sides.empty()) {
      return examples::compare(plan.comparison, plan.metrics, plan.json);
    }
    if (plan.model.empty()) throw examples::UsageError("expected --model and --data, or --compare");
    evaluate(plan);
  });
}
