// Measures a model on pairs of degraded and true pictures, or the pictures of any program:
//
//   limpid-evaluate --model run/model.limpid --data deblur=gopro:GoPro --report report
//   limpid-evaluate --compare restored/ true/
//
// Prints a table: each metric of the degraded pictures (identity), of the restored ones, and the
// gain. --json writes the same with every picture's scores, --report a page with pictures.
#include <limpid/core/fail.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/evaluate.hpp>
#include <limpid/metrics/compare_folders.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/report/training_facts.hpp>

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include "evaluate/metric_options.hpp"
#include "evaluate/report_page.hpp"
#include "options.hpp"
#include "program.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kShown = 4;  ///< pictures of a task on the page, spread over all

/// The command line.
struct Plan {
  fs::path model, json, save;
  std::vector<fs::path> compare;
  std::vector<std::string> data;
  examples::MetricOptions metrics;
  std::string command;
  examples::ReportPlan report;
  bool overwrite = false;
  std::int64_t max_images = 0;
  limpid::Tiling tiling;
  examples::Compute compute;
};

/// The table, what its means leave out, and how each metric is computed, on standard output.
template <class Scores>
void print(const Scores& scores, const std::vector<limpid::AnyMetric>& metrics) {
  examples::print("%s\n", limpid::text_table(scores).c_str());
  for (const auto& line : limpid::left_out_lines(scores)) examples::print("%s\n", line.c_str());
  if (std::is_same_v<Scores, limpid::Comparison> &&
      std::any_of(metrics.begin(), metrics.end(), [](const auto& m) { return m.pools(); })) {
    examples::print(
        "pooled: the PSNR of the mean squared error over all pictures, exact ones too; compare "
        "programs by it where means leave pictures out\n");
  }
  for (const auto& metric : metrics) {
    examples::print("%s: %s; %s is better\n", metric.name.c_str(), metric.protocol.c_str(),
                    metric.higher_is_better ? "higher" : "lower");
  }
}

/// @throws c10::Error where nothing was measured: no picture has a score under any metric.
void check_measured(const std::vector<limpid::PictureScores>& pictures) {
  for (const auto& scores : pictures) {
    for (const auto score : scores) {
      if (!std::isnan(score)) return;
    }
  }
  limpid::fail("no picture has a score");
}

void compare(const Plan& plan) {
  examples::Progress progress;
  const auto show = [&](const limpid::ComparedPicture& picture) {
    progress.show(std::to_string(picture.index + 1) + "/" + std::to_string(picture.count) + "  " +
                  picture.name);
  };
  const auto scores = limpid::compare_folders(plan.compare[0], plan.compare[1],
                                              examples::metrics_of(plan.metrics), show);
  progress.end();
  print(scores, scores.metrics);
  examples::write_json(plan.json, to_json(scores));
  std::vector<limpid::PictureScores> pictures;
  for (const auto& image : scores.images) pictures.push_back(image.scores);
  check_measured(pictures);
}

/// What was trained, how, and how it was measured.
std::vector<limpid::Fact> facts_of(const Plan& plan, const nlohmann::json& manifest) {
  char date[64];
  const auto now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  std::string data;
  for (const auto& text : plan.data) data += (data.empty() ? "" : "\n") + text;
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

/// The folder for a task's restored pictures, which must not be one that its data are in.
fs::path save_folder(const Plan& plan, const limpid::DataArgument& data) {
  const auto folder = plan.save / data.task;
  std::istringstream paths{data.path};
  for (std::string path; std::getline(paths, path, ',');) {
    for (const auto& taken :
         {fs::path{path}, fs::path{path} / "input", fs::path{path} / "target"}) {
      std::error_code ignored;
      if (!fs::equivalent(folder, taken, ignored)) continue;
      throw examples::UsageError("--save: '" + folder.string() + "' holds the data");
    }
  }
  examples::make_folder("--save", folder);
  return folder;
}

fs::path saved_as(const fs::path& folder, const std::string& name) {
  return folder / (name + ".png");
}

/// Stops, before anything is restored, where --save would write over what is there.
void check_new(const Plan& plan, const fs::path& folder, const limpid::Pairs& pairs) {
  if (plan.overwrite) return;
  for (std::int64_t i = 0; i < pairs.size(); ++i) {
    const auto file = saved_as(folder, pairs.name(i));
    std::error_code ignored;
    TORCH_CHECK(!fs::exists(fs::symlink_status(file, ignored)), "--save: '", file.string(),
                "' is there already; name another folder, or --overwrite to replace");
  }
}

void evaluate(const Plan& plan) {
  const auto metrics = examples::metrics_of(plan.metrics);
  const auto options = examples::restorer_options(plan.compute, plan.tiling);
  const auto arguments = examples::parse_data("--data", plan.data);
  const limpid::AnyRestorer restorer{plan.model, options};
  for (const auto& argument : arguments) restorer.check_task(argument.task);
  if (!plan.report.folder.empty()) examples::make_folder("--report", plan.report.folder);

  examples::Progress progress;
  limpid::Report report;
  std::vector<limpid::TaskEvaluation> scores;
  for (const auto& argument : arguments) {
    const auto all = limpid::open_pairs(argument, limpid::DataUse::evaluation);
    const auto pairs = plan.max_images > 0 ? all.first(plan.max_images) : all;
    if (pairs.size() < all.size()) {
      report.warnings.push_back(argument.task + ": the first " + std::to_string(pairs.size()) +
                                " of " + std::to_string(all.size()) + " pictures only");
    }
    const auto folder = plan.save.empty() ? fs::path{} : save_folder(plan, argument);
    if (!folder.empty()) check_new(plan, folder, pairs);
    const auto shown = plan.report.folder.empty() ? 0 : std::min(kShown, pairs.size());
    limpid::ReportTask task;
    const auto keep = [&](const limpid::EvaluatedPicture& picture) {
      progress.show(argument.task + "  " + std::to_string(picture.index + 1) + "/" +
                    std::to_string(pairs.size()) + "  " + picture.name);
      if (!folder.empty()) picture.restored.save(saved_as(folder, picture.name));
      const auto next = static_cast<std::int64_t>(task.pictures.size());
      if (next < shown && picture.index == next * pairs.size() / shown) {
        task.pictures.push_back({picture.name, picture.degraded, picture.restored, picture.target});
      }
    };
    const auto restore = [&](const limpid::Image& degraded) {
      return examples::hinting_at_tiles([&] { return restorer.restore(argument.task, degraded); });
    };
    task.evaluation = limpid::evaluate(argument.task, pairs, restore, metrics, keep);
    scores.push_back(task.evaluation);
    report.tasks.push_back(std::move(task));
  }
  progress.end();
  print(scores, metrics);
  const auto json = limpid::json_text(to_json(scores));
  examples::write_json(plan.json, to_json(scores));
  if (!plan.report.folder.empty()) {
    report.facts = facts_of(plan, restorer.manifest());
    examples::write_report(plan.report, std::move(report), plan.model, json);
  }
  std::vector<limpid::PictureScores> pictures;
  for (const auto& task : scores) {
    for (const auto& image : task.images) pictures.push_back(image.restored);
  }
  check_measured(pictures);
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"Measures restored pictures against true ones.", "limpid-evaluate"};
  auto* model = app.add_option("--model", plan.model, "A model.limpid that limpid-train wrote");
  model->type_name("FILE");
  auto* data = app.add_option("--data", plan.data, limpid::data_argument_help());
  data->type_name("TASK=FORMAT:PATH[@PART]")->needs(model);
  model->needs(data);
  app.add_option("--compare", plan.compare, "Pictures of any program, and the true ones")
      ->expected(2)
      ->type_name("RESTORED_DIR TARGET_DIR")
      ->excludes(model);
  examples::add_metrics(app, plan.metrics);
  examples::add_json(app, plan.json, "Write all scores");
  app.add_option("--max-images", plan.max_images, "At most so many pictures of each task")
      ->check(examples::Whole{})
      ->type_name("N")
      ->needs(model);
  auto* save = app.add_option("--save", plan.save, "Keep the restored pictures: DIR/TASK/NAME.png");
  save->type_name("DIR")->needs(model);
  app.add_flag("--overwrite", plan.overwrite, "Replace pictures of --save that are there")
      ->needs(save);
  examples::add_tiling(app, plan.tiling);
  examples::add_max_pixels(app);
  examples::add_report(app, model, plan.report);
  examples::add_compute(app, plan.compute);
  plan.command = examples::command_line(argc, argv);
  return examples::run_program(app, argc, argv, [&] {
    examples::try_output("--json", plan.json);
    if (!plan.compare.empty()) return compare(plan);
    if (plan.model.empty()) throw examples::UsageError("expected --model and --data, or --compare");
    evaluate(plan);
  });
}
