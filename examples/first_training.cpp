// Trains two tasks together on a folder of photographs, and restores one of them. Run again, it
// goes on where it stood.
//
//   first_training [MINUTES]                   (default: 5; reads photos/, writes run/, sharp.png)
#include <limpid/limpid.hpp>

#include <cstdio>
#include <cstdlib>
#include <thread>

using namespace limpid;

int main(int argc, char** argv) try {
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));
  const Minutes length{argc > 1 ? std::atof(argv[1]) : 5};

  // One encoder, one decoder per task. The string names the task, here and in every file.
  MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"dehaze">>
      trainer{TrainerOptions{
          .out = "run", .length = length, .rate = 1e-3, .crop = 128, .start = Start::resume}};
  trainer.branch<"deblur">(Branch{
      .pairs = DegradedPhotos{"photos", MotionBlur{}}, .batch_size = 4, .content = PSNRLoss{}});
  trainer.branch<"dehaze">(
      Branch{.pairs = DegradedPhotos{"photos", Haze{}}, .batch_size = 4, .content = PSNRLoss{}});
  trainer.fit();  // progress, log, checkpoints, and at the end run/model.limpid

  Restorer restorer{trainer.model()};
  const auto photo = Image::load(list_images("photos").front());
  restorer.restore<"deblur">(photo).save("sharp.png");
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
