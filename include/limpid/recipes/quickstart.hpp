#pragma once

#include <limpid/losses/content/psnr_loss.hpp>
#include <limpid/model/network.hpp>
#include <limpid/recipes/recipe.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace limpid::recipes {

/// Learns within minutes on a CPU: a small residual U-Net at half resolution and a PSNR loss. No
/// critic and no file of weights. L1 is no choice here: most pixels of a picture with raindrops
/// need no change, so its best answer in the first minutes is none.
struct Quickstart {
  std::string name = "quickstart";
  TrainerOptions options{};
  Network network{"pixel-unet"};
  std::int64_t batch = 4;  ///< crops of each task in a step

  /// Whether a branch needs the weights of VGG-19.
  static constexpr bool needs_vgg = false;

  std::int64_t batch_size(std::string_view) const { return batch; }

  /// A task's branch; it takes no VGG-19.
  AnyBranch branch(std::string_view task, Pairs pairs, const VGG19& = VGG19{nullptr}) const {
    return Branch{.pairs = std::move(pairs), .batch_size = batch_size(task), .content = PSNRLoss{}};
  }
};

static_assert(Recipe<Quickstart>);

inline Quickstart quickstart() {
  Quickstart recipe;
  auto& options = recipe.options;
  options.length = Minutes{8};
  options.rate = 1e-3;
  options.schedule = CosineDecay{.warmup_share = 0.02, .final_rate = 1e-6};
  options.clip_gradient_norm = 5;
  options.crop = 128;
  options.cache_mb = 256;
  options.precision = Precision::automatic;
  options.recipe = recipe.name;
  return recipe;
}

}  // namespace limpid::recipes
