// A run that stops and goes on: in halves it gives the same weights, bit for bit, as in one piece.
//
//   resume_a_run                               (reads photos/, writes halves/)
#include <limpid/limpid.hpp>

#include <torch/torch.h>

#include <cstdio>
#include <filesystem>

using namespace limpid;

using Trainer = MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"dehaze">>;

at::Tensor first_weights(Trainer& trainer) { return trainer.model()->parameters().front(); }

void train(Trainer& trainer) {
  trainer.branch<"dehaze">(Branch{.pairs = DegradedPhotos{"photos", Haze{}}});
  trainer.fit();
}

int main() try {
  std::filesystem::remove_all("halves");
  TrainerOptions options{.length = Steps{10}, .crop = 64};
  Trainer whole{options};
  train(whole);

  options.out = "halves";
  options.stop_after = 5;  // as Ctrl-C would: the step is finished, all is saved
  {
    Trainer first{options};
    train(first);
  }
  options.stop_after = 0;
  options.start = Start::resume;
  Trainer second{options};
  train(second);

  const bool equal = torch::equal(first_weights(whole), first_weights(second));
  std::printf("in halves and in one piece: %s\n", equal ? "equal" : "different");
  return equal ? 0 : 1;
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
