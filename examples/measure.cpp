// How good is a model? Its pictures against the true ones, beside the degraded ones against them.
//
//   measure                                    (reads photos/ and run/model.limpid)
#include <limpid/inference/evaluate.hpp>
#include <limpid/limpid.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/restore.hpp>

#include <cstdio>

using namespace limpid;

int main() try {
  const AnyRestorer restorer{"run/model.limpid"};
  const Pairs hazy = DegradedPhotos{"photos", Haze{}, {.seed = 2}};
  const auto scores = evaluate(
      "dehaze", hazy, [&](const Image& degraded) { return restorer.restore("dehaze", degraded); });
  std::printf("%s", text_table({scores}).c_str());  // the protocol of each number stands with it
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
