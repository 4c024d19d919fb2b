#pragma once

// limpid-table: what the command line says, and what it makes of a recipe.

#include <limpid/datasets/pairs.hpp>
#include <limpid/recipes/tables.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "../options.hpp"
#include "../shard.hpp"
#include "../train_recipe.hpp"

namespace examples {

/// The command line of limpid-table.
struct TablePlan {
  std::string table;
  std::vector<std::string> data, test;
  std::filesystem::path out, vgg, backbone;
  std::int64_t epochs = 0, steps = 0, workers = 1, max_images = 0;
  std::uint64_t seed = 0;
  bool smoke = false, no_twins = false, show_plan = false, quiet = false;
  Shard shard;
  limpid::Tiling tiling;
  Compute compute;
  std::string command;
};

/// What must be the same for the runs in a folder to belong to one table.
inline nlohmann::json table_settings(const TablePlan& plan) {
  return {{"table", plan.table},
          {"smoke", plan.smoke},
          {"data", plan.data},
          {"test", plan.test},
          {"epochs", plan.epochs},
          {"steps", plan.steps},
          {"seed", plan.seed},
          {"max_images", plan.max_images},
          {"vgg", plan.vgg.string()},
          {"backbone", plan.backbone.string()},
          {"precision", plan.compute.precision}};
}

/// The middle of each picture, at most `side` pixels high and wide.
struct MiddleParts {
  limpid::Pairs pairs;
  std::int64_t side;

  std::int64_t size() const { return pairs.size(); }
  std::string name(std::int64_t i) const { return pairs.name(i); }
  limpid::ImagePair load(std::int64_t i, std::int64_t draw) const {
    const auto pair = pairs.load(i, draw);
    const auto height = std::min(side, pair.target.height());
    const auto width = std::min(side, pair.target.width());
    const auto middle = [&](const limpid::Image& image) {
      return image.crop((image.height() - height) / 2, (image.width() - width) / 2, height, width);
    };
    return {middle(pair.degraded), middle(pair.target)};
  }
};

constexpr std::int64_t kSmokeImages = 2, kSmokeSide = 160, kSmokeSteps = 2;

/// Networks and crops so narrow that a run takes seconds.
inline void shrink(limpid::recipes::ThesisRecipe& recipe) {
  auto& options = recipe.network.options;
  if (recipe.network.family == "resnet") {
    options.update({{"width", 8}, {"blocks", 1}});
    recipe.options.crop = 32;
  } else {
    options.update({{"backbone", {{"width", 0.125}, {"repeat", 1}, {"repeat_1", 1}}},
                    {"pyramid_width", 32},
                    {"head_width", 16}});
    recipe.options.crop = 128;
  }
  recipe.objective.critic_width = 8;
}

/// The recipe of one run with what the command line changes.
inline limpid::recipes::ThesisRecipe planned(limpid::recipes::ThesisRecipe recipe,
                                             const TablePlan& plan,
                                             const std::filesystem::path& folder) {
  auto& options = recipe.options;
  if (plan.smoke) {
    shrink(recipe);
    options.length = limpid::Steps{kSmokeSteps};
  }
  if (has_backbone(recipe.network) && plan.backbone.empty()) from_scratch(recipe);
  if (plan.epochs > 0) options.length = limpid::Epochs{plan.epochs};
  if (plan.steps > 0) options.length = limpid::Steps{plan.steps};
  options.out = folder;
  options.start = limpid::Start::resume;
  options.seed = plan.seed;
  options.workers = plan.workers;
  options.quiet = plan.quiet;
  options.device = device_of(plan.compute.device);
  options.precision = precision_of(plan.compute.precision);
  options.convolution = limpid::kConvolutions.at(plan.compute.convolution);
  options.memory_format = limpid::kMemoryFormats.at(plan.compute.memory_format);
  options.facts["threads"] = plan.compute.threads;
  options.facts["data"] = plan.data;
  return recipe;
}

}  // namespace examples
