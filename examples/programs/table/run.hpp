#pragma once

// limpid-table: one run of a table, trained and measured, or found finished.

#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/evaluate.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/recipes/tables.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../failures.hpp"
#include "../run_results.hpp"
#include "../tile_note.hpp"
#include "plan.hpp"

namespace examples {

/// What every run of a table is measured by: PSNR, and SSIM under the protocols that papers of this
/// field print (docs/metrics.md).
inline std::vector<limpid::AnyMetric> table_metrics() {
  return limpid::metrics_by_name({"psnr_rgb", "ssim_uniform", "ssim_gaussian", "cw_ssim"});
}

/// One picture of each task is kept for the page, as NAME-{degraded,restored,target}.png.
inline std::filesystem::path sample_file(const std::filesystem::path& folder,
                                         const std::string& task, const std::string& which) {
  return folder / ("sample-" + task + "-" + which + ".png");
}

/// Measures a trained run and writes its result. A picture that fails is named and has no scores.
inline void measure_run(const TablePlan& plan, const std::filesystem::path& folder,
                        const std::vector<std::string>& tasks,
                        const std::map<std::string, limpid::Pairs>& tests, std::int64_t steps,
                        Progress& progress) {
  const limpid::AnyRestorer restorer{folder / "model.limpid",
                                     restorer_options(plan.compute, plan.tiling)};
  std::vector<limpid::TaskEvaluation> evaluations;
  std::size_t failed = 0;
  TileNote tiles{progress};
  nlohmann::json samples = nlohmann::json::object();
  for (const auto& task : tasks) {
    const auto& pairs = tests.at(task);
    const auto keep = [&](const limpid::EvaluatedPicture& picture) {
      progress.show(folder.filename().string() + "  measuring " + task + "  " +
                    std::to_string(picture.index + 1) + "/" + std::to_string(pairs.size()));
      if (picture.index < pairs.size() / 2 || samples.contains(task)) return;
      picture.degraded.save(sample_file(folder, task, "degraded"));
      picture.restored.save(sample_file(folder, task, "restored"));
      picture.target.save(sample_file(folder, task, "target"));
      samples[task] = picture.name;
    };
    const auto restore = [&](const limpid::Image& degraded) {
      tiles.look_at(task + ": " + size_text(degraded),
                    restorer.plan(task, degraded.height(), degraded.width()));
      return restorer.restore(task, degraded);
    };
    evaluations.push_back(limpid::evaluate(task, pairs, restore, table_metrics(), keep));
    failed += evaluations.back().failed();
    for (const auto& image : evaluations.back().images) {
      if (image.error.empty()) continue;
      complain("limpid-table: " + text_naming(task + " " + image.name, image.error));
    }
  }
  nlohmann::json result{{"scores", to_json(evaluations)},
                        {"steps", steps},
                        {"samples", samples},
                        {"tiles", tiles.json()},
                        {"failed", failed}};
  limpid::write_atomically(result_file(folder), limpid::json_text(result));
}

/// Trains and measures a run, going on where it stood; one with pictures that could not be measured
/// is measured again.
/// @return whether it is finished; false where a signal stopped it.
inline bool finish_run(const TablePlan& plan, const limpid::recipes::TableRun& run,
                       const std::map<std::string, limpid::Pairs>& training,
                       const std::map<std::string, limpid::Pairs>& tests,
                       const RecipeWeights& weights) {
  const auto folder = plan.out / run.name;
  Progress progress{plan.quiet};
  const auto found = read_result(result_file(folder));
  if (!found.is_null() && failed_pictures(found) == 0) {
    progress.say(run.name + ": finished before, skipped");
    return true;
  }
  progress.say(run.name + ": " + run.title);
  std::map<std::string, TaskData> data;
  for (const auto& task : run.tasks) data[task].pairs = training.at(task);
  const auto recipe = planned(run.recipe, plan, folder);
  const auto [result, steps] =
      train_recipe(recipe, data, weights, [](const std::string&, limpid::AnyBranch&) {});
  if (result != limpid::FitResult::finished) return false;
  measure_run(plan, folder, run.tasks, tests, steps, progress);
  progress.end();
  return true;
}

}  // namespace examples
