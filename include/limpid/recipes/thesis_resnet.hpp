#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include <limpid/backbones/vgg19.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>

namespace limpid::recipes {

/// The paper's recipe with the ResNet generator: Martyniuk, "Multi-task learning for image
/// restoration", UCU 2019, sec. 3.3 and 4.3.
struct ThesisResNet {
  static constexpr std::string_view name = "thesis-resnet";

  using Encoder = ResNetEncoder;  ///< nine blocks, width 64, dropout 0.5 (sec. 3.2)
  template <FixedString Task>
  using Decoder = ResNetDecoder<Task>;

  /// Adam at 1e-4, 40 epochs constant and 40 linear to 1e-7, crops of 256 x 256 (sec. 4.3).
  static TrainerOptions options() {
    TrainerOptions options;
    options.length = Epochs{80};
    options.rate = 1e-4;
    options.critic_rate = 1e-4;
    options.schedule = ConstantThenLinear{.constant_share = 0.5, .final_rate = 1e-7};
    options.crop = 256;
    options.recipe = name;
    return options;
  }

  /// 2 for deblurring, 1 for the others (sec. 4.3).
  static constexpr std::int64_t batch_size(std::string_view task) {
    return task == "deblur" ? 2 : 1;
  }

  VGG19 vgg;  ///< ImageNet weights

  /// VGG conv3_3 + 0.5 L1 + 0.01 WGAN-GP with a PatchGAN critic (sec. 3.3).
  auto branch(Pairs pairs, std::int64_t batch) const {
    return Branch{.pairs = std::move(pairs),
                  .batch_size = batch,
                  .content = Perceptual{vgg} + 0.5 * L1{},
                  .critic = PatchGAN<>{},
                  .adversarial = WassersteinGP{.penalty = 10.0},
                  .adversarial_weight = 0.01};
  }
};

}  // namespace limpid::recipes
