#pragma once

#include <limpid/recipes/thesis.hpp>

namespace limpid::recipes {

/// The paper's recipe with the FPN-Inception generator (sec. 3.2): ImageNet weights in the
/// backbone, frozen for the first three epochs (sec. 4.3); its experiments with one, two and three
/// tasks are Table 4.1 (sec. 4.4).
inline ThesisRecipe thesis_fpn_inception() {
  ThesisRecipe recipe{.name = "thesis-fpn-inception",
                      .options = thesis_options("thesis-fpn-inception"),
                      .network = {"fpn-inception-resnet-v2"}};
  recipe.options.freeze_encoder_epochs = 3;
  return recipe;
}

}  // namespace limpid::recipes
