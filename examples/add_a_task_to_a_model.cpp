// A trained model learns a further task: a new decoder learns to read the features of its encoder,
// which stays as it is, as the old decoders do. What they restore is the same to the bit.
//
//   add_a_task_to_a_model                      (reads photos/ and run/model.limpid, writes three/)
#include <limpid/inference/any_restorer.hpp>
#include <limpid/limpid.hpp>
#include <limpid/model/change_tasks.hpp>
#include <limpid/model/families.hpp>
#include <limpid/training/any_trainer.hpp>

#include <torch/torch.h>

#include <cstdio>
#include <filesystem>

using namespace limpid;

int main() try {
  const AnyModel two = load_any("run/model.limpid").model;  // first_training's: deblur, dehaze
  const AnyModel three = add_tasks(two, {"denoise"});       // a copy, and a new decoder

  std::filesystem::remove_all("three");
  const TrainerOptions options{.out = "three",
                               .length = Steps{60},
                               .rate = 1e-3,
                               .frozen = {"encoder", "decoder.deblur", "decoder.dehaze"},
                               .crop = 64};
  AnyTrainer trainer{options, three};
  trainer.branch("denoise", Branch{.pairs = DegradedPhotos{"photos", Noise{{50, 50}}},
                                   .batch_size = 2,
                                   .content = PSNRLoss{}});
  trainer.fit();

  const AnyRestorer before{"run/model.limpid"}, after{"three/model.limpid"};
  const auto photo = Image::load(list_images("photos").front());
  bool same = true;
  for (const auto& task : before.tasks()) {
    same &= torch::equal(before.restore(task, photo).unit(), after.restore(task, photo).unit());
  }
  std::printf("deblur and dehaze: %s\n", same ? "the same bits as before" : "changed");

  const auto pair = Pairs{DegradedPhotos{"photos", Noise{{50, 50}}, {.seed = 9}}}.load(0);
  const PSNR<> psnr;
  const auto target = pair.target.unit();
  const auto noisy = psnr(pair.degraded.unit(), target);
  const auto denoised = psnr(after.restore("denoise", pair.degraded).unit(), target);
  std::printf("denoise: %.2f dB noisy, %.2f dB denoised\n", noisy, denoised);
  return same && denoised > noisy + 1 ? 0 : 1;
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
