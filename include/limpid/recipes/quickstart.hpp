#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include <limpid/decoders/pixel_unet.hpp>
#include <limpid/encoders/pixel_unet.hpp>
#include <limpid/losses/content/psnr_loss.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>

namespace limpid::recipes {

/// Learns within minutes on a CPU: a small residual U-Net at half resolution and a PSNR loss. No
/// critic and no file of weights. L1 is no choice here: most pixels of a picture with raindrops
/// need no change, so its best answer in the first minutes is none.
struct Quickstart {
  static constexpr std::string_view name = "quickstart";

  using Encoder = PixelUNetEncoder;
  template <FixedString Task>
  using Decoder = PixelUNetDecoder<Task>;

  static TrainerOptions options() {
    TrainerOptions options;
    options.length = Minutes{8};
    options.rate = 1e-3;
    options.schedule = CosineDecay{.warmup_share = 0.02, .final_rate = 1e-6};
    options.clip_gradient_norm = 5;
    options.crop = 128;
    options.cache_mb = 256;
    options.precision = Precision::automatic;
    options.recipe = name;
    return options;
  }

  static constexpr std::int64_t batch_size(std::string_view) { return 4; }

  static auto branch(Pairs pairs, std::int64_t batch) {
    return Branch{.pairs = std::move(pairs), .batch_size = batch, .content = PSNRLoss{}};
  }
};

}  // namespace limpid::recipes
