#pragma once

#include <limpid/core/concepts.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <torch/nn.h>

#include <cstdint>
#include <mutex>

namespace limpid {

namespace detail {

/// The number at a place of SplitMix64's sequence, which can be entered anywhere.
///
/// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
inline std::uint64_t split_mix(std::uint64_t seed, std::uint64_t place) {
  auto z = seed + (place + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

/// Float numbers on the CPU, each 0 with the given probability and 1 / (1 - it) otherwise, the same
/// for any number of threads.
inline at::Tensor dropout_mask(at::IntArrayRef sizes, double probability, std::uint64_t seed) {
  auto mask = at::empty(sizes, at::kFloat);
  auto* numbers = mask.data_ptr<float>();
  const auto count = mask.numel();
  const auto least = static_cast<std::uint64_t>(probability * 4294967296.0);  // of those that stay
  const auto kept = static_cast<float>(1 / (1 - probability));
  constexpr std::int64_t kGrain = 1 << 14;
  at::parallel_for(0, (count + 1) / 2, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (auto pair = begin; pair < end; ++pair) {
      const auto bits = split_mix(seed, static_cast<std::uint64_t>(pair));
      numbers[2 * pair] = (bits & 0xffffffffU) >= least ? kept : 0;
      if (2 * pair + 1 < count) numbers[2 * pair + 1] = (bits >> 32U) >= least ? kept : 0;
    }
  });
  return mask;
}

}  // namespace detail

/// While training, zeroes each number with a probability and divides the others by what is left of
/// it; changes nothing otherwise.
///
/// Source: Srivastava et al., "Dropout", JMLR 2014. Differs from `torch::nn::Dropout` on the CPU:
/// takes one number of LibTorch's generator, from which all threads draw their part; LibTorch draws
/// there with one thread, which takes as long as a convolution.
class DropoutImpl : public torch::nn::Cloneable<DropoutImpl> {
 public:
  torch::nn::DropoutOptions options;  ///< `p`: the probability, in [0, 1)

  /// @throws c10::ValueError if `probability` is out of range.
  explicit DropoutImpl(double probability) : options(probability) {
    TORCH_CHECK_VALUE(probability >= 0 && probability < 1, "Dropout: must be in [0, 1), got ",
                      probability);
  }

  void reset() override {}

  /// @param input  of any shape.
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input) {
    if (!is_training() || options.p() == 0) return input;
    if (!input.is_cpu() || options.p() >= 1) return at::dropout(input, options.p(), true);
    auto generator = at::detail::getDefaultCPUGenerator();
    std::uint64_t seed = 0;
    {
      const std::lock_guard<std::mutex> lock{generator.mutex()};
      seed = at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
    }
    return input * detail::dropout_mask(input.sizes(), options.p(), seed).to(input.scalar_type());
  }
};

TORCH_MODULE(Dropout);

static_assert(ImageModule<Dropout>);

}  // namespace limpid
