#pragma once

#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/recipes/thesis.hpp>

namespace limpid::recipes {

using ThesisFPNInception = ThesisRecipe<FPNEncoder<InceptionResNetV2>, FPNDecoder>;

/// The paper's recipe with the FPN-Inception generator (sec. 3.2): ImageNet weights in the
/// backbone, frozen for the first three epochs (sec. 4.3); its experiments with one, two and three
/// tasks are Table 4.1 (sec. 4.4).
inline ThesisFPNInception thesis_fpn_inception() {
  ThesisFPNInception recipe{.name = "thesis-fpn-inception",
                            .options = thesis_options("thesis-fpn-inception")};
  recipe.options.freeze_encoder_epochs = 3;
  return recipe;
}

}  // namespace limpid::recipes
