// Measures 3x3 convolutions of stride 1, fast against exact, for the rule of
// kernels/winograd_rule.hpp and the table of docs/kernels.md:
//
//   winograd [THREADS [BATCHxINxOUTxHEIGHTxWIDTHpPADDING ...]]
//
// Milliseconds of the best of some runs, and the factor between them, for the three passes; with
// one thread they are the processor's, so that a machine that is not idle does little harm.
#include <limpid/kernels/convolution.hpp>

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

namespace {

using limpid::Convolution, limpid::ConvolutionScope;

struct Shape {
  long batch, in, out, height, width, padding;
};

/// Milliseconds so far: of the processor with one thread, else of the clock.
double now() {
  using std::chrono::steady_clock;
  if (at::get_num_threads() == 1) return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

/// The best run of at least three, and of a quarter of a second.
template <class Body>
double best(Body body) {
  body();
  double least = std::numeric_limits<double>::infinity();
  const auto begin = now();
  for (int run = 0; run < 3 || now() - begin < 250; ++run) {
    const auto before = now();
    body();
    least = std::min(least, now() - before);
  }
  return least;
}

void measure(const Shape& s) {
  const auto input = torch::randn({s.batch, s.in, s.height, s.width}).requires_grad_();
  const auto weight = (torch::randn({s.out, s.in, 3, 3}) / (3 * std::sqrt(s.in))).requires_grad_();
  const auto bias = torch::randn({s.out}).requires_grad_();
  const auto forward = [&] { return limpid::convolution3x3(input, weight, bias, s.padding); };
  double milliseconds[2][3];
  for (const auto kind : {Convolution::exact, Convolution::fast}) {
    const ConvolutionScope scope{kind};
    auto& passes = milliseconds[kind == Convolution::fast];
    {
      torch::NoGradGuard no_grad;
      passes[0] = best(forward);
    }
    const auto output = forward();
    const auto gradient = torch::randn_like(output);
    const auto backward = [&](const std::vector<at::Tensor>& of) {
      return best([&] { torch::autograd::grad({output}, of, {gradient}, true); });
    };
    passes[1] = backward({input});
    passes[2] = backward({weight, bias});
  }
  std::printf("%ldx%ldx%ldx%ldx%ldp%ld", s.batch, s.in, s.out, s.height, s.width, s.padding);
  double sums[2]{};
  for (int pass = 0; pass < 3; ++pass) {
    const auto exact = milliseconds[0][pass], fast = milliseconds[1][pass];
    std::printf(" | %8.3f %8.3f %5.2fx", exact, fast, exact / fast);
    sums[0] += exact;
    sums[1] += fast;
  }
  std::printf(" | all %5.2fx\n", sums[0] / sums[1]);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  at::set_num_threads(argc > 1 ? std::atoi(argv[1]) : 1);
  std::printf(
      "batch x in x out x height x width p padding | forward: exact, fast, factor | input's "
      "gradient | weight's\n");
  for (int i = 2; i < argc; ++i) {
    Shape s{};
    if (std::sscanf(argv[i], "%ldx%ldx%ldx%ldx%ldp%ld", &s.batch, &s.in, &s.out, &s.height,
                    &s.width, &s.padding) != 6) {
      std::fprintf(stderr, "expected BATCHxINxOUTxHEIGHTxWIDTHpPADDING, got '%s'\n", argv[i]);
      return 2;
    }
    measure(s);
  }
  if (argc > 2) return 0;
  for (const auto& shape : {Shape{1, 64, 64, 256, 256, 1},
                            {2, 64, 64, 128, 128, 1},
                            {1, 128, 128, 128, 128, 1},
                            {1, 256, 256, 66, 66, 0},
                            {2, 256, 256, 66, 66, 0},
                            {1, 32, 32, 256, 256, 1}}) {
    measure(shape);
  }
}
