// Losses: what limpid has, sums of them, one of your own, and a critic beside them.
//
//   add_a_loss                                 (reads photos/)
#include <limpid/limpid.hpp>

#include <torch/torch.h>

#include <cstdio>
#include <string_view>

using namespace limpid;

/// Anything that can be called with (restored, target), both (N, 3, H, W) in [-1, 1]. A name makes
/// it a term of sums.
struct EdgeLoss {
  static constexpr std::string_view name = "edges";
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return (restored.diff(1, 3) - target.diff(1, 3)).abs().mean();
  }
};
static_assert(NamedContentLoss<EdgeLoss>);

int main() try {
  MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"dehaze">>
      trainer{TrainerOptions{.length = Steps{10}, .crop = 64}};
  // A sum: each term is logged by itself.
  trainer.branch<"deblur">(Branch{.pairs = DegradedPhotos{"photos", MotionBlur{}},
                                  .content = Charbonnier{} + 0.5 * EdgeLoss{}});
  // A critic of the task's own, and a GAN objective that can use it.
  trainer.branch<"dehaze">(Branch{.pairs = DegradedPhotos{"photos", Haze{}},
                                  .content = L1{},
                                  .critic = PatchGAN<>{PatchGANOptions{.width = 8, .layers = 2}},
                                  .adversarial = WassersteinGP{.penalty = 10.0},
                                  .adversarial_weight = 0.01});
  trainer.fit();
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
