// How long each degradation of the table takes for a crop of 256 x 256 pixels of a photograph of
// 640 x 480, on one thread: the mean of 40 draws, in milliseconds.
//
//   g++ -std=c++20 -O3 ... tests/benchmarks/damages.cpp   (flags of the target limpid::limpid)

#include <limpid/degradations/named_degradations.hpp>

#include <torch/torch.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

int main() {
  using namespace limpid;
  torch::set_num_threads(1);
  torch::manual_seed(1);
  const auto photo =
      torch::nn::functional::interpolate(torch::rand({1, 3, 120, 160}),
                                         torch::nn::functional::InterpolateFuncOptions()
                                             .size(std::vector<std::int64_t>{480, 640})
                                             .mode(torch::kBicubic)
                                             .align_corners(false))
          .clamp(0, 1)[0]
          .contiguous();
  const auto cut = [](const at::Tensor& image, const Window& window) {
    return image.narrow(1, window.top, window.height).narrow(2, window.left, window.width);
  };
  constexpr int kDraws = 40;
  for (const auto& name : kDegradations.names()) {
    const auto degradation = named_degradation({name});
    Random random{7};
    double longest = 0, total = 0;
    for (int i = 0; i <= kDraws; ++i) {
      const Window window{random.below(480 - 255), random.below(640 - 255), 256, 256};
      const auto start = std::chrono::steady_clock::now();
      if (degradation.is_partwise()) {
        const auto drawn = degradation.drawn_for(480, 640, random);
        const auto grown = window.grown(drawn.margin, 16, 480, 640);
        cut(drawn(cut(photo, grown), grown), window.seen_from(grown));
      } else {
        cut(degradation(photo, random), window);
      }
      const std::chrono::duration<double, std::milli> taken =
          std::chrono::steady_clock::now() - start;
      if (i == 0) continue;  // the first call warms up
      total += taken.count();
      longest = std::max(longest, taken.count());
    }
    std::printf("%-16s mean %7.2f ms, longest %7.2f ms%s\n", name.c_str(), total / kDraws, longest,
                degradation.is_partwise() ? "" : " (whole photograph)");
  }
}
