#pragma once

#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/recipes/thesis.hpp>

namespace limpid::recipes {

using ThesisResNet = ThesisRecipe<ResNetEncoder, ResNetDecoder>;

/// The paper's recipe with the ResNet generator: nine blocks, width 64, dropout 0.5 (sec. 3.2);
/// its three experiments are the rows of Table 4.2 (sec. 4.4).
inline ThesisResNet thesis_resnet() {
  return {.name = "thesis-resnet",
          .options = thesis_options("thesis-resnet"),
          .encoder = {.width = 64, .blocks = 9, .dropout = 0.5},
          .decoder = {.width = 64}};
}

}  // namespace limpid::recipes
