#pragma once

// limpid-evaluate --compare: the pictures of any program, or features of them.

#include <limpid/metrics/compare_folders.hpp>
#include <limpid/metrics/compare_programs.hpp>
#include <limpid/metrics/frechet_distance.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include "../failures.hpp"
#include "../options.hpp"
#include "../program.hpp"
#include "metric_options.hpp"
#include "say_scores.hpp"

namespace examples {

/// What is compared.
struct ComparisonPlan {
  std::vector<std::filesystem::path> sides;  ///< of --compare: restored, target
  std::filesystem::path against;             ///< of another program
};

inline void add_comparison(CLI::App& app, CLI::Option* model, ComparisonPlan& plan) {
  auto* compare_option =
      app.add_option("--compare", plan.sides,
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
}

/// Shows how far a comparison is.
inline std::function<void(const limpid::ComparedPicture&)> shown_on(Progress& progress) {
  return [&progress](const limpid::ComparedPicture& picture) {
    progress.show(std::to_string(picture.index + 1) + "/" + std::to_string(picture.count) + "  " +
                  picture.name);
  };
}

inline void compare_two(const ComparisonPlan& plan, const MetricOptions& metrics,
                        const std::filesystem::path& json) {
  Progress progress;
  const auto pairs = limpid::compare_programs(plan.sides[0], plan.against, plan.sides[1],
                                              metrics_of(metrics), shown_on(progress));
  progress.end();
  Failures failures{"limpid-evaluate"};
  const auto& images = pairs.compared.images;
  std::vector<limpid::PictureScores> pictures;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto& other = pairs.against.images[i];
    const auto& error = images[i].error.empty() ? other.error : images[i].error;
    if (!error.empty()) failures.add(images[i].name, error);
    if (error.empty()) pictures.push_back(images[i].scores);
  }
  failures.say(progress);
  print_scores(pairs, pairs.metrics());
  write_json(json, to_json(pairs));
  check_measured(pictures);
  failures.check(images.size(), "measured");
}

/// Whether both sides of --compare are files of features, not folders of pictures.
inline bool are_features(const std::vector<std::filesystem::path>& sides) {
  std::error_code ignored;
  return std::all_of(sides.begin(), sides.end(), [&](const std::filesystem::path& side) {
    return std::filesystem::is_regular_file(side, ignored);
  });
}

inline void compare_features(const ComparisonPlan& plan, const MetricOptions& metrics,
                             const std::filesystem::path& json) {
  if (!metrics.names.empty() || !metrics.protocol.empty() || !plan.against.empty()) {
    throw UsageError("--compare: of two files of features only their distance is known");
  }
  const auto restored = limpid::read_feature_statistics(plan.sides[0]);
  const auto target = limpid::read_feature_statistics(plan.sides[1]);
  const auto distance = limpid::frechet_distance(restored, target);
  const auto features = restored.mean.size(0);
  print("frechet_distance  %.6f  of %lld features; lower is better\n", distance,
        static_cast<long long>(features));
  nlohmann::json scores{{"features", features}};
  scores["compared"]["frechet_distance"]["mean"] = distance;
  write_json(json, scores);
}

inline void compare_one(const ComparisonPlan& plan, const MetricOptions& metrics,
                        const std::filesystem::path& json) {
  Progress progress;
  const auto scores = limpid::compare_folders(plan.sides[0], plan.sides[1], metrics_of(metrics),
                                              shown_on(progress));
  progress.end();
  Failures failures{"limpid-evaluate"};
  say_failed("", scores.images, failures, progress);
  print_scores(scores, scores.metrics);
  write_json(json, to_json(scores));
  std::vector<limpid::PictureScores> pictures;
  for (const auto& image : scores.images) pictures.push_back(image.scores);
  check_measured(pictures);
  failures.check(scores.images.size(), "measured");
}

/// @param json  the file for all scores; empty: none
inline void compare(const ComparisonPlan& plan, const MetricOptions& metrics,
                    const std::filesystem::path& json) {
  if (are_features(plan.sides)) return compare_features(plan, metrics, json);
  if (!plan.against.empty()) return compare_two(plan, metrics, json);
  compare_one(plan, metrics, json);
}

}  // namespace examples
