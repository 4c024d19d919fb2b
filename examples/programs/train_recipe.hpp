#pragma once

// Training of a recipe on the tasks that have data: shared by limpid-train and limpid-table.

#include <limpid/backbones/vgg19.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/training/task_dispatch.hpp>
#include <limpid/training/trainer.hpp>
#include <limpid/weights/load_pretrained.hpp>

#include <torch/torch.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

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

/// Whether a recipe's encoder has a part with ImageNet weights.
template <class Recipe>
constexpr bool has_backbone() {
  return requires(typename Recipe::Encoder encoder) { encoder->pretrained(); };
}

/// The recipe for a backbone of random weights: nothing is frozen, and batch norms use the batch,
/// since the running statistics of an untrained network mean nothing.
template <class Recipe>
Recipe from_scratch(Recipe recipe) {
  recipe.options.freeze_encoder_epochs = 0;
  if constexpr (has_backbone<Recipe>())
    recipe.encoder.batch_norm = limpid::BatchNormStatistics::batch;
  return recipe;
}

/// Trains a recipe's networks on the tasks that have data.
///
/// @param adjust  is given each task's name and branch before the trainer gets it
/// @return how the run ended, and its steps
/// @throws c10::ValueError if a task is none of deblur, dehaze, derain
template <class Recipe, class Adjust>
std::pair<limpid::FitResult, std::int64_t> train_recipe(const Recipe& recipe,
                                                        const std::map<std::string, TaskData>& data,
                                                        const RecipeWeights& weights,
                                                        Adjust adjust) {
  std::vector<std::string> names;
  for (const auto& [name, task] : data) names.push_back(name);
  std::pair<limpid::FitResult, std::int64_t> ended;
  limpid::with_tasks<"deblur", "dehaze", "derain">(
      names, [&]<limpid::FixedString... Tasks>(limpid::TaskList<Tasks...>) {
        using Encoder = typename Recipe::Encoder;
        torch::manual_seed(recipe.options.seed);
        auto encoder = recipe.make_encoder();
        if constexpr (has_backbone<Recipe>()) {
          if (!weights.backbone.empty()) {
            const auto report = limpid::load_pretrained(encoder, weights.backbone);
            if (!recipe.options.quiet) complain(report.table());
          }
        }
        limpid::MultiTaskTrainer<Encoder, typename Recipe::template Decoder<Tasks>...> trainer{
            recipe.options, encoder, recipe.template make_decoder<Tasks>()...};
        for (const auto& name : names) {
          const auto& task = data.at(name);
          auto branch = [&] {
            if constexpr (Recipe::needs_vgg) {
              return recipe.branch(name, task.pairs, weights.vgg);
            } else {
              return recipe.branch(name, task.pairs);
            }
          }();
          branch.validation = task.validation;
          adjust(name, branch);
          trainer.branch(name, std::move(branch));
        }
        ended.first = trainer.fit();
        ended.second = trainer.steps_done();
      });
  return ended;
}

}  // namespace examples
