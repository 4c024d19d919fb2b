// Two processes train together: each sees half of every batch, and both have one model.
//
//   train_on_two_processes                     (reads photos/; writes run_of_two/)
#include <limpid/limpid.hpp>
#include <limpid/parallel/rendezvous.hpp>

#include <torch/torch.h>

#include <sys/wait.h>
#include <unistd.h>
#include <cstdio>
#include <filesystem>
#include <string>

using namespace limpid;

void train(const Communicator& processes) {
  TrainerOptions options{.out = "run_of_two", .length = Steps{10}, .rate = 1e-3, .crop = 64};
  options.communicator = processes;
  MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"dehaze">>
      trainer{options};
  // Batches of two in each process: of four in all.
  trainer.branch<"deblur">(
      Branch{.pairs = DegradedPhotos{"photos", MotionBlur{}}, .batch_size = 2, .content = L1{}});
  trainer.branch<"dehaze">(
      Branch{.pairs = DegradedPhotos{"photos", Haze{}}, .batch_size = 2, .content = L1{}});
  trainer.fit();
}

// Started by torchrun, srun or mpirun, processes say `join(world_place_from_environment())`. This
// program has no launcher: it starts the second one itself.
int main(int count, char** words) try {
  if (count == 3) {  // RANK PLACE
    train(join({.rank = std::stol(words[1]), .size = 2, .store = words[2]}));
    return 0;
  }
  if (!kHasProcesses) {
    std::printf("this build is without Gloo: nothing to show\n");
    return 0;
  }
  std::filesystem::remove_all("run_of_two");
  const auto meeting = "file:/tmp/two_processes." + std::to_string(::getpid());
  const auto second = ::fork();
  if (second == 0) {
    ::execl("/proc/self/exe", words[0], "1", meeting.c_str(), nullptr);
    ::_exit(127);
  }
  TORCH_CHECK(second > 0, "cannot start a second process");
  train(join({.rank = 0, .size = 2, .store = meeting}));
  int status = 0;
  ::waitpid(second, &status, 0);
  return status == 0 ? 0 : 1;
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
