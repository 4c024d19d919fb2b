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

/// Trains a model for photographs that nobody degraded on purpose, by damages drawn anew for each
/// crop: a residual U-Net whose encoder does most of the work, so that four tasks fit into 5 MB of
/// 16-bit weights, and a PSNR loss with a floor.
///
/// The floor is what lets strong and diverse blur be learned: without it, pictures that are hardly
/// blurred at all outweigh the others, and the network stays at the identity. Blur has more to
/// learn than the other tasks and gets more crops. A few minutes on a graphics card, or a day on
/// two cores; examples/models/README.md has the damages and what it took.
struct Everyday {
  std::string name = "everyday";
  TrainerOptions options{};
  Network network{"pixel-unet",
                  {{"encoder", {{"width", 32}, {"blocks", {2, 3, 4}}}},
                   {"decoder", {{"width", 32}, {"blocks", {2, 2, 0}}}}}};
  std::int64_t batch = 16;  ///< crops of each task in a step; half as many again of deblur
  double floor = 3e-4;      ///< of the PSNR loss

  /// Whether a branch needs the weights of VGG-19.
  static constexpr bool needs_vgg = false;

  std::int64_t batch_size(std::string_view task) const {
    return task == "deblur" ? batch + batch / 2 : batch;
  }

  /// A task's branch; it takes no VGG-19.
  AnyBranch branch(std::string_view task, Pairs pairs, const VGG19& = VGG19{nullptr}) const {
    return Branch{.pairs = std::move(pairs),
                  .batch_size = batch_size(task),
                  .content = PSNRLoss{.floor = floor}};
  }
};

static_assert(Recipe<Everyday>);

inline Everyday everyday() {
  Everyday recipe;
  auto& options = recipe.options;
  options.length = Minutes{480};
  options.rate = 1e-3;
  options.schedule = CosineDecay{.warmup_share = 0.02, .final_rate = 1e-6};
  options.clip_gradient_norm = 5;
  options.crop = 256;
  options.cache_mb = 512;
  options.precision = Precision::float32;
  options.recipe = recipe.name;
  return recipe;
}

}  // namespace limpid::recipes
