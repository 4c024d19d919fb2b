// Pairs a second of photographs that the loader's threads degrade, and of those that are degraded
// as whole batches by the thread that trains (docs/datasets.md):
//
//   late_degradation PHOTOS [CROP [BATCH [WORKERS [SECONDS]]]]
//
// On the CPU, one thread for the batches; photographs are kept decoded. A column for the part of
// the second way that the training thread spends, which is what a step becomes longer by.
#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/datasets/loader.hpp>
#include <limpid/degradations/named_degradations.hpp>

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

namespace {

using namespace limpid;

double now() {
  using std::chrono::steady_clock;
  return std::chrono::duration<double>(steady_clock::now().time_since_epoch()).count();
}

/// Pairs a second, after one pass that fills the cache.
double speed(const std::string& photos, const AnyDegradation& degradation, DegradeOn on,
             const LoaderOptions& options, double seconds) {
  PairLoader loader{DegradedPhotos{photos, degradation, {.draws_per_variant = 1, .on = on}},
                    options};
  for (std::int64_t i = 0; i < loader.batches_per_epoch() + *loader.options().prefetch; ++i) {
    loader.next();
  }
  const auto begin = now();
  std::int64_t pairs = 0;
  while (now() - begin < seconds) pairs += loader.next().target.size(0);
  return static_cast<double>(pairs) / (now() - begin);
}

/// Milliseconds that the batch form takes for a pair.
double milliseconds(const AnyDegradation& degradation, const LoaderOptions& options,
                    double seconds) {
  const auto side = options.crop + 2 * degradation.batch_margin();
  const auto images = torch::rand({options.batch_size, 3, side, side});
  Random random{1};
  degradation.batch(images, random);
  const auto begin = now();
  std::int64_t pairs = 0;
  for (; now() - begin < seconds; pairs += options.batch_size) degradation.batch(images, random);
  return 1e3 * (now() - begin) / static_cast<double>(pairs);
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, long otherwise) {
    return argc > i ? std::atol(argv[i]) : otherwise;
  };
  if (argc < 2) {
    std::fprintf(stderr, "late_degradation PHOTOS [CROP [BATCH [WORKERS [SECONDS]]]]\n");
    return 2;
  }
  try {
    at::set_num_threads(1);
    const LoaderOptions options{.batch_size = number(3, 4),
                                .crop = number(2, 256),
                                .workers = number(4, 1),
                                .cache_mb = 2048};
    const auto seconds = static_cast<double>(number(5, 5));
    std::printf("| | by the loader | as batches on the CPU | of these the batch, ms a pair |\n");
    std::printf("|---|---:|---:|---:|\n");
    for (const auto& name : kDegradations.names()) {
      const auto degradation = named_degradation({name});
      std::printf("| `%s` | %.0f | %.0f | %.1f |\n", name.c_str(),
                  speed(argv[1], degradation, DegradeOn::loader, options, seconds),
                  speed(argv[1], degradation, DegradeOn::device, options, seconds),
                  milliseconds(degradation, options, seconds));
      std::fflush(stdout);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "late_degradation: %s\n", error.what());
    return 1;
  }
}
