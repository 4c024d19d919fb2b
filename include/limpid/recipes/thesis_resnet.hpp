#pragma once

#include <limpid/recipes/thesis.hpp>

namespace limpid::recipes {

/// The paper's recipe with the ResNet generator: nine blocks, width 64, dropout 0.5 (sec. 3.2);
/// its three experiments are the rows of Table 4.2 (sec. 4.4).
inline ThesisRecipe thesis_resnet() {
  return {.name = "thesis-resnet",
          .options = thesis_options("thesis-resnet"),
          .network = {"resnet", {{"width", 64}, {"blocks", 9}, {"dropout", 0.5}}}};
}

}  // namespace limpid::recipes
