#pragma once

#include <limpid/recipes/psnr_recipe.hpp>
#include <limpid/training/options.hpp>

namespace limpid::recipes {

/// Learns within minutes on a CPU: a small residual U-Net at half resolution.
inline PSNRRecipe quickstart() {
  PSNRRecipe recipe{.name = "quickstart"};
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
