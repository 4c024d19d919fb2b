#pragma once

// limpid-transfer: one run, trained and measured, or found finished.

#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/evaluate.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/recipes/named_recipes.hpp>
#include <limpid/report/training_log.hpp>
#include <limpid/training/run_folder.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../failures.hpp"
#include "../run_results.hpp"
#include "../train_recipe.hpp"
#include "plan.hpp"

namespace examples {

/// What runs are compared by.
inline std::vector<limpid::AnyMetric> transfer_metrics() {
  return limpid::metrics_by_name({"psnr_rgb", "ssim_gaussian"});
}

/// What all runs of a plan share.
template <limpid::Recipe R>
struct TransferSetup {
  const TransferPlan& plan;
  R recipe;  ///< with what the command line changes
  RecipeWeights weights;
  std::vector<limpid::DataArgument> data;
  std::map<std::string, limpid::Pairs> tests;

  /// Crops of a task in each step.
  std::int64_t batch_of(const std::string& task) const {
    return plan.batch > 0 ? plan.batch : recipe.batch_size(task);
  }

  std::vector<std::string> tasks() const {
    std::vector<std::string> names;
    for (const auto& argument : data) names.push_back(argument.task);
    return names;
  }
};

/// Where the steps of a budget in minutes are kept, once the first run has found them.
inline std::filesystem::path budget_file(const TransferPlan& plan) {
  return plan.out / "budget.json";
}

/// How long a run trains: in steps, the same for all runs, once these are known.
/// @throws c10::Error where they are not, and another run has to find them.
template <limpid::Recipe R>
limpid::RunLength transfer_length(const TransferSetup<R>& setup, const TransferRun& run) {
  const auto& budget = setup.plan.budget;
  if (budget.images > 0) {
    std::int64_t most = 1;
    for (const auto& task : setup.tasks()) most = std::max(most, setup.batch_of(task));
    return limpid::Steps{(budget.images + most - 1) / most};
  }
  const auto found = read_result(budget_file(setup.plan));
  const auto first = found.is_null()
                         ? transfer_runs(setup.plan, setup.tasks()).front().folder().string()
                         : found.at("found_by").template get<std::string>();
  if (first == run.folder().string()) return limpid::Minutes{budget.minutes};
  TORCH_CHECK(!found.is_null(), "--budget ", setup.plan.budget_text,
              ": how many steps that is says the first run, ", first, ", which has not finished");
  return limpid::Steps{found.at("steps").template get<std::int64_t>()};
}

/// JSON has no number for what is not finite.
inline nlohmann::json number_or_none(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json("none");
}

/// How much the tasks of a run agreed: of each two the mean cosine, and in how many of the looks
/// they were in conflict.
inline nlohmann::json agreement_of(const limpid::InterferenceLog& log) {
  auto pairs = nlohmann::json::array();
  for (const auto& pair : log.pairs()) {
    const auto [looks, conflicts] = pair.looks_and_conflicts();
    const auto mean = limpid::statistics(pair.cosine.y).mean;
    pairs.push_back({{"tasks", {log.tasks()[pair.first], log.tasks()[pair.second]}},
                     {"cosine", number_or_none(mean)},
                     {"conflicts", conflicts},
                     {"looks", looks}});
  }
  return pairs;
}

/// What a run took. CPU time is that of the sitting which ended it, and is none where that did not
/// train.
struct TransferCost {
  std::int64_t steps = 0;
  std::optional<double> cpu_seconds_per_step{};
};

/// The processor time of all threads of this process.
inline double cpu_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

/// Trains a run, going on where it stood.
/// @return nothing where a signal stopped it.
template <limpid::Recipe R>
std::optional<TransferCost> train_transfer(const TransferSetup<R>& setup, const TransferRun& run) {
  auto recipe = setup.recipe;
  auto& options = recipe.options;
  const auto seed = static_cast<std::uint64_t>(run.seed);
  options.out = setup.plan.out / run.folder();
  options.start = limpid::Start::resume;
  options.seed = seed;
  options.length = transfer_length(setup, run);
  if (run.is_alone()) {
    options.interference_every = 0;
  } else {
    options.weighting = limpid::named_weighting(run.weighting);
  }
  std::map<std::string, TaskData> data;
  for (const auto& argument : setup.data) {
    if (std::find(run.tasks.begin(), run.tasks.end(), argument.task) == run.tasks.end()) continue;
    data[argument.task].pairs =
        limpid::open_pairs(argument, limpid::DataUse::training, nullptr, seed);
  }
  const auto checkpoint = options.out / limpid::kCheckpointName;
  const bool is_new = !std::filesystem::exists(checkpoint);
  const auto before = cpu_seconds();
  const auto trained = train_recipe(recipe, data, setup.weights,
                                    [&](const std::string& task, limpid::AnyBranch& branch) {
                                      branch.batch_size = setup.batch_of(task);
                                    });
  if (trained.result != limpid::FitResult::finished) return std::nullopt;
  TransferCost cost{trained.steps};
  if (is_new) cost.cpu_seconds_per_step = (cpu_seconds() - before) / double(trained.steps);
  return cost;
}

/// Measures a trained run: all that result.json has.
template <limpid::Recipe R>
nlohmann::json measured_transfer(const TransferSetup<R>& setup, const TransferRun& run,
                                 const TransferCost& cost, Progress& progress) {
  const auto folder = setup.plan.out / run.folder();
  const auto& options = setup.recipe.options;
  const limpid::AnyRestorer restorer{folder / limpid::kModelName,
                                     {.tiling = setup.plan.tiling,
                                      .device = options.device,
                                      .precision = options.precision,
                                      .convolution = options.convolution}};
  std::vector<limpid::TaskEvaluation> evaluations;
  std::size_t failed = 0;
  for (const auto& task : run.tasks) {
    const auto& pairs = setup.tests.at(task);
    const auto show = [&](const limpid::EvaluatedPicture& picture) {
      progress.show(run.title() + "  measuring " + task + "  " + std::to_string(picture.index + 1) +
                    "/" + std::to_string(pairs.size()));
    };
    const auto restore = [&](const limpid::Image& degraded) {
      return restorer.restore(task, degraded);
    };
    evaluations.push_back(limpid::evaluate(task, pairs, restore, transfer_metrics(), show));
    failed += evaluations.back().failed();
    for (const auto& image : evaluations.back().images) {
      if (image.error.empty()) continue;
      complain("limpid-transfer: " + text_naming(task + " " + image.name, image.error));
    }
  }
  const auto log = limpid::read_training_log(folder / limpid::kMetricsName);
  nlohmann::json result{{"weighting", run.weighting},
                        {"tasks", run.tasks},
                        {"seed", run.seed},
                        {"steps", cost.steps},
                        {"seconds", log.seconds},
                        {"agreement", agreement_of(log.interference)},
                        {"scores", limpid::to_json(evaluations)},
                        {"failed", failed}};
  if (cost.cpu_seconds_per_step) result["cpu_seconds_per_step"] = *cost.cpu_seconds_per_step;
  return result;
}

/// Whether a result is of a run that is done and has all its scores.
inline bool is_finished(const nlohmann::json& result) {
  return !result.is_null() && !result.contains("error") && failed_pictures(result) == 0;
}

/// Trains and measures a run; one whose training fails says so in its result, and is tried again by
/// the next call.
/// @return false where a signal stopped it.
template <limpid::Recipe R>
bool finish_transfer(const TransferSetup<R>& setup, const TransferRun& run) {
  const auto folder = setup.plan.out / run.folder();
  Progress progress{setup.plan.quiet};
  const auto write = [&](const nlohmann::json& result) {
    limpid::write_atomically(result_file(folder), limpid::json_text(result));
  };
  if (is_finished(read_result(result_file(folder)))) {
    progress.say(run.title() + ": finished before, skipped");
    return true;
  }
  progress.say(run.title());
  make_folder("--out", folder);
  std::optional<TransferCost> cost;
  try {
    cost = train_transfer(setup, run);
  } catch (const c10::Error& error) {
    const auto text = limpid::error_text(error);
    complain("limpid-transfer: " + run.title() + ": " + text);
    write(
        {{"weighting", run.weighting}, {"tasks", run.tasks}, {"seed", run.seed}, {"error", text}});
    return true;
  }
  if (!cost) return false;
  if (setup.plan.budget.minutes > 0 && !std::filesystem::exists(budget_file(setup.plan))) {
    limpid::write_atomically(budget_file(setup.plan),
                             limpid::json_text(nlohmann::json{
                                 {"steps", cost->steps}, {"found_by", run.folder().string()}}));
  }
  write(measured_transfer(setup, run, *cost, progress));
  progress.end();
  return true;
}

}  // namespace examples
