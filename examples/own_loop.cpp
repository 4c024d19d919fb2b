// A loop of your own around the training step: the batches and their order are yours.
//
//   own_loop                                   (reads photos/)
#include <limpid/limpid.hpp>

#include <torch/torch.h>

#include <cstdio>

using namespace limpid;

int main() try {
  torch::manual_seed(0);
  MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"dehaze">>
      trainer{TrainerOptions{.rate = 1e-3}};
  trainer.branch<"deblur">(Branch{.content = L1{}});
  trainer.branch<"dehaze">(Branch{.content = L1{}});

  // Crops of degraded photographs and the photographs, in [-1, 1].
  PairLoader blurred{DegradedPhotos{"photos", MotionBlur{}}, {.batch_size = 2, .crop = 64}};
  PairLoader hazy{DegradedPhotos{"photos", Haze{}}, {.batch_size = 2, .crop = 64}};
  for (int step = 0; step < 10; ++step) {
    const auto losses = trainer.step({blurred.next(), hazy.next()});  // in the decoders' order
    for (const auto& loss : losses) {
      std::printf("%s %s %.4f  ", loss.task.c_str(), loss.term.c_str(), loss.value);
    }
    std::printf("\n");
  }
  save(trainer.model(), "own_loop.limpid");
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
