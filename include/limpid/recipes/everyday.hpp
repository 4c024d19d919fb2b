#pragma once

#include <limpid/model/network.hpp>
#include <limpid/recipes/psnr_recipe.hpp>
#include <limpid/training/options.hpp>

namespace limpid::recipes {

/// Trains a model for photographs that nobody degraded on purpose, by damages drawn anew for each
/// crop: a residual U-Net whose encoder does most of the work, so that four tasks fit into 5 MB of
/// 16-bit weights, and a PSNR loss with a floor.
///
/// The floor is what lets strong and diverse blur be learned: without it, pictures that are hardly
/// blurred at all outweigh the others, and the network stays at the identity. Blur has more to
/// learn than the other tasks and gets half as many crops again. A few minutes on a graphics card,
/// or a day on two cores; examples/models/README.md has the damages and what it took.
inline PSNRRecipe everyday() {
  PSNRRecipe recipe{
      .name = "everyday",
      .network = {"pixel-unet",
                  {{"encoder", {{"width", 32}, {"blocks", {2, 3, 4}}, {"context", 32}}},
                   {"decoder", {{"width", 32}, {"blocks", {2, 2, 0}}}}}},
      .batch = 16,
      .batches = {{"deblur", 24}},
      .content = {.floor = 3e-4}};
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
