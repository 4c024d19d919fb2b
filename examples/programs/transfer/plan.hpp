#pragma once

// limpid-transfer: what the command line says, and which runs that makes.

#include <limpid/model/families.hpp>
#include <limpid/model/network.hpp>
#include <limpid/training/options.hpp>
#include <limpid/weighting/named_weightings.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "../changes.hpp"
#include "../network_options.hpp"
#include "../numbers.hpp"
#include "../options.hpp"
#include "../shard.hpp"

namespace examples {

/// How long each run trains: pictures of each task, or minutes of the first run, whose number of
/// steps is then that of all.
struct TransferBudget {
  std::int64_t images = 0;
  double minutes = 0;

  /// @param text  "images=N" or "minutes=M"
  static TransferBudget parse(const std::string& text) {
    const auto equals = text.find('=');
    const auto unit = text.substr(0, equals);
    auto number = equals == text.npos ? std::string{} : text.substr(equals + 1);
    if (unit == "images" && Whole{1, limpid::kMostSteps}(number).empty()) {
      return {.images = std::stoll(number)};
    }
    if (unit == "minutes" && examples::minutes()(number).empty()) {
      return {.minutes = std::stod(number)};
    }
    throw UsageError("--budget: expected images=N or minutes=M, got '" + text + "'");
  }
};

/// The command line of limpid-transfer.
struct TransferPlan {
  std::string recipe, budget_text;
  std::vector<std::string> data, test, weightings;
  TransferBudget budget{};
  NetworkOptions network;
  Changes<limpid::TrainerOptions> options;
  std::filesystem::path out, vgg, backbone;
  std::int64_t seeds = 3, batch = 0, max_images = 0;
  bool show_plan = false, quiet = false;
  Shard shard;
  int threads = 1;
  limpid::Tiling tiling;
  std::string command;
};

/// "equal,cagrad:c=0.4,rescale=no,pcgrad" in pieces: KEY=VALUE belongs to the weighting before it.
inline std::vector<std::string> split_weightings(const std::string& text) {
  std::vector<std::string> weightings;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const auto piece = text.substr(begin, end - begin);
    const bool is_option = piece.find('=') < piece.find(':');
    if (is_option && !weightings.empty()) {
      weightings.back() += "," + piece;
    } else {
      weightings.push_back(piece);
    }
    begin = end + 1;
  }
  for (const auto& weighting : weightings) {
    as_usage("--weightings: ", [&] { return limpid::named_weighting(weighting); });
    if (std::count(weightings.begin(), weightings.end(), weighting) == 1) continue;
    throw UsageError("--weightings: '" + weighting + "' is named twice");
  }
  return weightings;
}

/// One training: all tasks by a weighting, or one task alone.
struct TransferRun {
  std::string weighting;  ///< empty: alone
  std::vector<std::string> tasks;
  std::int64_t seed = 0;

  bool is_alone() const { return weighting.empty(); }

  /// Below --out: no two runs share it, and it holds all that the run leaves.
  std::filesystem::path folder() const {
    return std::filesystem::path{is_alone() ? "alone" : "shared"} /
           (is_alone() ? tasks.front() : weighting) / ("seed-" + std::to_string(seed));
  }

  std::string title() const {
    return (is_alone() ? tasks.front() + " alone" : weighting) + ", seed " + std::to_string(seed);
  }
};

/// All runs of a plan, seed by seed, so that what is finished can be compared early.
inline std::vector<TransferRun> transfer_runs(const TransferPlan& plan,
                                              const std::vector<std::string>& tasks) {
  std::vector<TransferRun> runs;
  for (std::int64_t seed = 0; seed < plan.seeds; ++seed) {
    for (const auto& weighting : plan.weightings) runs.push_back({weighting, tasks, seed});
    for (const auto& task : tasks) runs.push_back({"", {task}, seed});
  }
  return runs;
}

/// What must be the same for runs in one folder to be compared. Weightings and seeds may be added.
/// @param network, options  the recipe's, with what the command line changes
inline nlohmann::json transfer_settings(const TransferPlan& plan, const limpid::Network& network,
                                        const limpid::TrainerOptions& options) {
  return {{"recipe", plan.recipe},
          {"network", network.family},
          {"network_options", limpid::all_options(network)},
          {"data", plan.data},
          {"test", plan.test},
          {"budget", plan.budget_text},
          {"batch", plan.batch},
          {"crop", options.crop},
          {"rate", options.rate},
          {"precision", limpid::name_of(resolve(options.precision, options.device))},
          {"max_images", plan.max_images},
          {"vgg", plan.vgg.string()},
          {"backbone", plan.backbone.string()}};
}

}  // namespace examples
