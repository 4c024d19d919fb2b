#pragma once

#include <limpid/backbones/vgg19.hpp>
#include <limpid/model/families.hpp>
#include <limpid/recipes/named_recipes.hpp>
#include <limpid/training/any_trainer.hpp>

#include <torch/torch.h>

#include <string>
#include <vector>

// A recipe's trainer on one device, and random batches for its step.
namespace cuda_check {

/// The paper's three tasks.
inline const std::vector<std::string> kTasks{"deblur", "dehaze", "derain"};

struct RecipeTrainer {
  limpid::AnyTrainer trainer;
  std::vector<limpid::Batch> batches;  ///< on the CPU, as a loader gives them
};

/// How a device computes.
struct Way {
  std::string name;
  limpid::Precision precision = limpid::Precision::float32;
  bool tf32 = false;
  at::MemoryFormat format = at::MemoryFormat::Contiguous;
  bool benchmark = false;  ///< cuDNN looks for the fastest algorithms
  bool graphs = false;     ///< steps are recorded
};

/// @param crop  side of a crop, pixels; 0: the recipe's
inline RecipeTrainer make_trainer(const std::string& name, at::Device device, const Way& way,
                                  std::int64_t crop) {
  return limpid::with_recipe(name, [&](auto recipe) {
    auto options = recipe.options;
    options.device = device;
    options.precision = way.precision;
    options.tf32 = way.tf32;
    options.memory_format = way.format;
    options.cudnn_benchmark = way.benchmark;
    options.step_graphs = way.graphs;
    options.quiet = true;
    if (crop > 0) options.crop = crop;
    torch::manual_seed(1);
    limpid::VGG19 vgg{nullptr};
    if (recipe.needs_vgg) {
      vgg = limpid::VGG19::random_for_benchmark({.deepest = "conv3_3"});
      vgg->to(device);
    }
    RecipeTrainer made{{options, limpid::make_model(recipe.network, kTasks)}, {}};
    torch::manual_seed(2);
    for (const auto& task : kTasks) {
      made.trainer.branch(task, recipe.branch(task, {}, vgg));
      const auto size = recipe.batch_size(task);
      const auto image = [&] { return torch::rand({size, 3, options.crop, options.crop}) * 2 - 1; };
      made.batches.push_back({image(), image()});
    }
    return made;
  });
}

}  // namespace cuda_check
