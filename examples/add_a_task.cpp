// A task of your own: "enlighten" brightens dark, noisy pictures. It takes a name, a degradation of
// your own, and a decoder, and trains beside limpid's own "dehaze".
//
//   add_a_task                                 (reads photos/; writes enlighten/: the model, a
//   picture)
#include <limpid/limpid.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <cstdio>
#include <thread>

using namespace limpid;

/// What a short exposure does to a photograph. Draws from `random` alone, so that runs repeat.
struct Dusk {
  at::Tensor operator()(const at::Tensor& image, Random& random) const {  // (3, H, W) in [0, 1]
    const auto generator = at::make_generator<at::CPUGeneratorImpl>(random.bits());
    const auto noise = torch::randn(image.sizes(), generator);
    return (random.uniform(0.2, 0.4) * image + 0.02 * noise).clamp(0, 1);
  }
};
static_assert(Degradation<Dusk>);

int main() try {
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));
  const TrainerOptions options{
      .out = "enlighten", .length = Steps{60}, .rate = 1e-3, .crop = 64, .start = Start::resume};
  MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"dehaze">, PixelUNetDecoder<"enlighten">>
      trainer{options};
  trainer.branch<"dehaze">(
      Branch{.pairs = DegradedPhotos{"photos", Haze{}}, .batch_size = 2, .content = PSNRLoss{}});
  trainer.branch<"enlighten">(
      Branch{.pairs = DegradedPhotos{"photos", Dusk{}}, .batch_size = 2, .content = PSNRLoss{}});
  trainer.fit();

  Restorer restorer{trainer.model()};
  const auto pair = Pairs{DegradedPhotos{"photos", Dusk{}, {.seed = 9}}}.load(0);
  const auto dark = pair.degraded.unit(), photo = pair.target.unit();
  const auto restored = restorer.restore<"enlighten">(pair.degraded);
  pair.degraded.save("enlighten/dark.png");
  restored.save("enlighten/light.png");

  const PSNR<> psnr;
  const auto before = psnr(dark, photo), after = psnr(restored.unit(), photo);
  std::printf("enlighten: %.2f dB dark, %.2f dB enlightened\n", before, after);
  return after > before + 1 ? 0 : 1;
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
