#pragma once

// Training of a recipe on the tasks that have data: shared by limpid-train and limpid-table.

#include <limpid/backbones/vgg19.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/model/families.hpp>
#include <limpid/recipes/recipe.hpp>
#include <limpid/training/any_trainer.hpp>
#include <limpid/training/frozen_parts.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "network_options.hpp"
#include "output.hpp"

namespace examples {

/// A task's data, once opened.
struct TaskData {
  limpid::Pairs pairs;
  limpid::Pairs validation{};
};

/// What recipes take from files.
struct RecipeWeights {
  limpid::VGG19 vgg{nullptr};      ///< null for recipes that need none
  std::filesystem::path backbone;  ///< ImageNet weights; empty: the backbone stays random
};

/// Whether a network's encoder has a part with ImageNet weights.
inline bool has_backbone(const limpid::Network& network) {
  return limpid::kFamilies.at(network.family).has_pretrained;
}

/// Makes a recipe train a backbone of random weights: nothing is frozen, and batch norms use the
/// batch, since the running statistics of an untrained network mean nothing.
template <limpid::Recipe R>
void from_scratch(R& recipe) {
  recipe.options.freeze_encoder_epochs = 0;
  const auto options = limpid::all_options(recipe.network).at("encoder");
  if (options.contains("batch_norm")) recipe.network.options["batch_norm"] = "batch";
}

/// Where a run begins and how its tasks share a step, if not as the recipe says by itself.
struct TrainParts {
  std::function<limpid::AnyModel(const std::vector<std::string>& tasks)> model{};  ///< else new
  std::function<limpid::AnyModel(const limpid::AnyModel&, const std::vector<std::string>& tasks)>
      adapt{};  ///< the model in training; else the same
  std::function<void(std::map<std::string, limpid::AnyBranch>&)> together{};  ///< sees all branches
};

/// How a run ended.
struct Trained {
  limpid::FitResult result = limpid::FitResult::finished;
  std::int64_t steps = 0;
};

/// Trains a recipe's networks on the tasks that have data, under any names.
///
/// @param adjust  is given each task's name and branch before the trainer gets it
template <limpid::Recipe R, class Adjust>
Trained train_recipe(const R& recipe, const std::map<std::string, TaskData>& data,
                     const RecipeWeights& weights, Adjust adjust, const TrainParts& parts = {}) {
  std::vector<std::string> names;
  for (const auto& [name, task] : data) names.push_back(name);
  torch::manual_seed(recipe.options.seed);
  auto model = parts.model ? parts.model(names) : build_model(recipe.network, names);
  if (!weights.backbone.empty()) {
    const auto report =
        limpid::kFamilies.at(recipe.network.family).load_pretrained(model, weights.backbone);
    if (!recipe.options.quiet) complain(report.table());
  }
  if (parts.adapt) model = parts.adapt(model, names);
  as_usage("--freeze: ", [&] { limpid::check_frozen(model, recipe.options.frozen); });
  limpid::AnyTrainer trainer{recipe.options, model};
  std::map<std::string, limpid::AnyBranch> branches;
  for (const auto& [name, task] : data) {
    auto branch = recipe.branch(name, task.pairs, weights.vgg);
    branch.validation = task.validation;
    adjust(name, branch);
    branches.emplace(name, std::move(branch));
  }
  if (parts.together) parts.together(branches);
  for (auto& [name, branch] : branches) trainer.branch(name, std::move(branch));
  const auto result = trainer.fit();
  return {result, trainer.steps_done()};
}

}  // namespace examples
