// Measures a model on pairs of degraded and true pictures, or the pictures of any program:
//
//   limpid-evaluate --model run/model.limpid --data deblur=gopro:GoPro --report report
//   limpid-evaluate --compare restored/ true/
//   limpid-evaluate --compare restored/ true/ --against of_another_program/
//   limpid-evaluate --compare features.npy true.npz
//
// Prints a table: each metric of the degraded pictures (identity), of the restored ones, and the
// gain. --json writes the same with every picture's scores, --report a page with pictures.
#include <limpid/core/fail.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/evaluate.hpp>
#include <limpid/metrics/compare_folders.hpp>
#include <limpid/metrics/compare_programs.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/frechet_distance.hpp>
#include <limpid/report/models_beside.hpp>
#include <limpid/report/training_facts.hpp>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include "evaluate/beside.hpp"
#include "evaluate/metric_options.hpp"
#include "evaluate/report_page.hpp"
#include "failures.hpp"
#include "options.hpp"
#include "program.hpp"
#include "tile_note.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kShown = 4;  ///< pictures of a task on the page, spread over all

/// The command line.
struct Plan {
  fs::path model, json, save, against;
  std::vector<fs::path> compare;
  std::vector<std::string> beside;
  std::vector<std::string> data;
  examples::MetricOptions metrics;
  std::string command;
  examples::ReportPlan report;
  bool overwrite = false;
  std::int64_t max_images = 0;
  limpid::Tiling tiling;
  int ensemble = 1;
  examples::Compute compute;
};

/// The table, what its means leave out, and how each metric is computed, on standard output.
template <class Scores>
void print(const Scores& scores, const std::vector<limpid::AnyMetric>& metrics) {
  examples::print("%s\n", limpid::text_table(scores).c_str());
  for (const auto& line : limpid::left_out_lines(scores)) examples::print("%s\n", line.c_str());
  if constexpr (std::is_same_v<Scores, limpid::PairedComparison>) {
    for (const auto& line : limpid::paired_notes(scores)) examples::print("%s\n", line.c_str());
  } else {
    examples::print("%s\n", limpid::interval_note().c_str());
  }
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
    if (scores.any()) return;
  }
  limpid::fail("no picture has a score");
}

/// Adds the pictures that could not be measured, and says them.
template <class Images>
void say_failed(const std::string& task, const Images& images, examples::Failures& failures,
                examples::Progress& progress) {
  for (const auto& image : images) {
    if (!image.error.empty()) failures.add(task + image.name, image.error);
  }
  failures.say(progress);
}

/// Shows how far a comparison is.
std::function<void(const limpid::ComparedPicture&)> shown_on(examples::Progress& progress) {
  return [&progress](const limpid::ComparedPicture& picture) {
    progress.show(std::to_string(picture.index + 1) + "/" + std::to_string(picture.count) + "  " +
                  picture.name);
  };
}

void compare_two(const Plan& plan) {
  examples::Progress progress;
  const auto pairs =
      limpid::compare_programs(plan.compare[0], plan.against, plan.compare[1],
                               examples::metrics_of(plan.metrics), shown_on(progress));
  progress.end();
  examples::Failures failures{"limpid-evaluate"};
  const auto& images = pairs.compared.images;
  std::vector<limpid::PictureScores> pictures;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto& other = pairs.against.images[i];
    const auto& error = images[i].error.empty() ? other.error : images[i].error;
    if (!error.empty()) failures.add(images[i].name, error);
    if (error.empty()) pictures.push_back(images[i].scores);
  }
  failures.say(progress);
  print(pairs, pairs.metrics());
  examples::write_json(plan.json, to_json(pairs));
  check_measured(pictures);
  failures.check(images.size(), "measured");
}

/// Whether both sides of --compare are files of features, not folders of pictures.
bool are_features(const std::vector<fs::path>& sides) {
  std::error_code ignored;
  return std::all_of(sides.begin(), sides.end(),
                     [&](const fs::path& side) { return fs::is_regular_file(side, ignored); });
}

void compare_features(const Plan& plan) {
  if (!plan.metrics.names.empty() || !plan.metrics.protocol.empty() || !plan.against.empty()) {
    throw examples::UsageError("--compare: of two files of features only their distance is known");
  }
  const auto restored = limpid::read_feature_statistics(plan.compare[0]);
  const auto target = limpid::read_feature_statistics(plan.compare[1]);
  const auto distance = limpid::frechet_distance(restored, target);
  const auto features = restored.mean.size(0);
  examples::print("frechet_distance  %.6f  of %lld features; lower is better\n", distance,
                  static_cast<long long>(features));
  nlohmann::json json{{"features", features}};
  json["compared"]["frechet_distance"]["mean"] = distance;
  examples::write_json(plan.json, json);
}

void compare(const Plan& plan) {
  examples::Progress progress;
  const auto scores = limpid::compare_folders(
      plan.compare[0], plan.compare[1], examples::metrics_of(plan.metrics), shown_on(progress));
  progress.end();
  examples::Failures failures{"limpid-evaluate"};
  say_failed("", scores.images, failures, progress);
  print(scores, scores.metrics);
  examples::write_json(plan.json, to_json(scores));
  std::vector<limpid::PictureScores> pictures;
  for (const auto& image : scores.images) pictures.push_back(image.scores);
  check_measured(pictures);
  failures.check(scores.images.size(), "measured");
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

/// A task, the pairs that it is measured on, and where its restored pictures are kept.
struct TaskPlan {
  std::string task;
  limpid::Pairs pairs;
  std::int64_t all = 0;  ///< pairs of the set, of which `pairs` may be the first
  fs::path folder;       ///< empty: they are not kept
};

/// Opens what is measured, and finds all that would stop it later.
std::vector<TaskPlan> plan_tasks(const Plan& plan,
                                 const std::vector<limpid::DataArgument>& arguments) {
  std::vector<TaskPlan> tasks;
  for (const auto& argument : arguments) {
    const auto all = limpid::open_pairs(argument, limpid::DataUse::evaluation);
    const auto pairs = plan.max_images > 0 ? all.first(plan.max_images) : all;
    TORCH_CHECK_VALUE(!pairs.empty(), "--data: task '", argument.task, "' has no pairs");
    tasks.push_back({argument.task, pairs, all.size(), {}});
    if (plan.save.empty()) continue;
    tasks.back().folder = save_folder(plan, argument);
    check_new(plan, tasks.back().folder, pairs);
  }
  return tasks;
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
limpid::ModelScores scores_beside(const Beside& beside, const std::vector<TaskPlan>& tasks,
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
    say_failed(beside.name + ": " + task + " ", scores.tasks.back().images, failures, progress);
  }
  return scores;
}

void evaluate(const Plan& plan) {
  const auto metrics = examples::metrics_of(plan.metrics);
  const auto options = examples::restorer_options(plan.compute, plan.tiling, plan.ensemble);
  const auto arguments = examples::parse_data("--data", plan.data);
  const limpid::AnyRestorer restorer{plan.model, options};
  for (const auto& argument : arguments) restorer.check_task(argument.task);
  std::vector<Beside> others;
  for (const auto& text : plan.beside) {
    const auto named = examples::NamedModel::parse(text);
    others.push_back({named.name, limpid::AnyRestorer{named.file, options}});
  }
  if (!plan.report.folder.empty()) examples::make_folder("--report", plan.report.folder);
  const auto tasks = plan_tasks(plan, arguments);

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
      if (!to.empty()) picture.restored.save(saved_as(to, picture.name));
      const auto next = static_cast<std::int64_t>(reported.pictures.size());
      if (next < shown && picture.index >= next * count / shown) {
        reported.pictures.push_back(
            {picture.name, picture.degraded, picture.restored, picture.target});
      }
    };
    const auto restore = [&](const limpid::Image& degraded) -> limpid::RestoredPicture {
      const auto height = degraded.height(), width = degraded.width();
      if (!to.empty()) limpid::Image::check_can_be_saved(saved_as(to, "restored"), height, width);
      tiles.look_at(task + ": " + examples::size_text(degraded),
                    restorer.plan(task, height, width));
      return restored(restorer, task, degraded, unrounded);
    };
    reported.evaluation = limpid::evaluate(task, planned.pairs, restore, metrics, keep);
    say_failed(task + " ", reported.evaluation.images, failures, progress);
    scores.push_back(reported.evaluation);
    report.tasks.push_back(std::move(reported));
  }
  std::vector<limpid::ModelScores> beside;
  for (const auto& other : others) {
    beside.push_back(scores_beside(other, tasks, metrics, failures, progress));
  }
  progress.end();
  print(scores, metrics);
  auto json = to_json(scores);
  if (!beside.empty()) {
    auto table = limpid::beside_table(scores, beside);
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
  check_measured(pictures);
  failures.check(pictures.size(), "measured");
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"Measures restored pictures against true ones.", "limpid-evaluate"};
  auto* model = app.add_option("--model", plan.model, "A model.limpid that limpid-train wrote");
  model->type_name("FILE")->group("Model");
  auto* data = app.add_option("--data", plan.data, limpid::data_argument_help());
  data->type_name("TASK=FORMAT:PATH[@PART]")->needs(model)->group("Model");
  model->needs(data);
  auto* compare_option =
      app.add_option("--compare", plan.compare,
                     "Pictures of any program, and the true ones; or two files of features (.npy, "
                     ".npz with mu and sigma): their Frechet distance");
  compare_option->expected(2)
      ->type_name("RESTORED_DIR TARGET_DIR")
      ->excludes(model)
      ->group("Pictures of any program");
  app.add_option("--against", plan.against,
                 "Pictures of another program: by how much --compare scores more, picture by "
                 "picture, and whether that may be chance")
      ->type_name("RESTORED_DIR")
      ->needs(compare_option)
      ->group("Pictures of any program");
  app.add_option("--beside", plan.beside,
                 "A further model on the same pictures, for a table of all; may come again")
      ->type_name("NAME=FILE")
      ->needs(model)
      ->group("Model");
  examples::add_metrics(app, plan.metrics);
  examples::add_json(app, plan.json, "Write all scores");
  app.add_option("--max-images", plan.max_images, "At most so many pictures of each task")
      ->check(examples::Whole{})
      ->type_name("N")
      ->needs(model)
      ->group("Model");
  auto* save = app.add_option("--save", plan.save, "Keep the restored pictures: DIR/TASK/NAME.png");
  save->type_name("DIR")->needs(model)->group("Model");
  app.add_flag("--overwrite", plan.overwrite, "Replace pictures of --save that are there")
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
    if (!plan.compare.empty() && are_features(plan.compare)) return compare_features(plan);
    if (!plan.against.empty()) return compare_two(plan);
    if (!plan.compare.empty()) return compare(plan);
    if (plan.model.empty()) throw examples::UsageError("expected --model and --data, or --compare");
    evaluate(plan);
  });
}
