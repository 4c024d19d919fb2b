#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <ATen/core/Tensor.h>

#ifdef LIMPID_BODIES
#include <limpid/core/memory_format.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <mutex>
#endif

namespace limpid {

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
  explicit DropoutImpl(double probability);

  void reset() override {}

  /// @param input  of any shape.
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);
};

TORCH_MODULE(Dropout);

static_assert(ImageModule<Dropout>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

/// The number at a place of SplitMix64's sequence, which can be entered anywhere.
///
/// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
inline std::uint64_t split_mix(std::uint64_t seed, std::uint64_t place) {
  auto z = seed + (place + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

/// Which numbers stay, in 16 bits of the sequence each: four a draw.
struct DropoutDraw {
  std::uint64_t seed, least;  ///< `least`: of the 16 bits of those that stay
  float kept;                 ///< what these are multiplied by

  DropoutDraw(std::uint64_t seed, double probability)
      : seed(seed),
        least(static_cast<std::uint64_t>(std::lround(probability * 65536))),
        kept(static_cast<float>(1 / (1 - probability))) {}

  /// `output` of `count` numbers, the same for any number of threads.
  template <class Number>
  void apply(const Number* input, Number* output, std::int64_t count) const {
    constexpr std::int64_t kRun = 1024;  // draws come first, so that the rest is done side by side
    at::parallel_for(0, (count + kRun - 1) / kRun, 4, [&](std::int64_t begin, std::int64_t end) {
      std::array<std::uint16_t, kRun> bits;
      const auto from = static_cast<std::int32_t>(least);
      const auto factor = kept;
      for (auto first = begin * kRun; first < std::min(end * kRun, count); first += kRun) {
        for (std::int64_t i = 0; i < kRun; i += 4) {
          const auto four = split_mix(seed, static_cast<std::uint64_t>((first + i) / 4));
          for (std::int64_t k = 0; k < 4; ++k) {
            bits[static_cast<std::size_t>(i + k)] = static_cast<std::uint16_t>(four >> 16 * k);
          }
        }
        const auto* in = input + first;
        auto* out = output + first;
        const auto* drawn = bits.data();
        const auto here = std::min(kRun, count - first);
        for (std::int64_t i = 0; i < here; ++i) {
          const auto kept_or_not = drawn[i] >= from ? factor : 0.0F;
          out[i] = static_cast<Number>(static_cast<float>(in[i]) * kept_or_not);
        }
      }
    });
  }
};

/// Dropout and its gradient, which is dropout of the gradient by the same draw: nothing is kept but
/// the draw. It has gradients of every order.
class DropoutFunction : public torch::autograd::Function<DropoutFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            double probability, std::int64_t seed) {
    context->saved_data["probability"] = probability;
    context->saved_data["seed"] = seed;
    const DropoutDraw draw{static_cast<std::uint64_t>(seed), probability};
    const auto from = input.contiguous();
    auto to = at::empty(from.sizes(), from.options());
    if (from.scalar_type() == at::kFloat) {
      draw.apply(from.data_ptr<float>(), to.data_ptr<float>(), from.numel());
    } else if (from.scalar_type() == at::kBFloat16) {
      draw.apply(from.data_ptr<at::BFloat16>(), to.data_ptr<at::BFloat16>(), from.numel());
    } else {
      const auto mask = at::ones(from.sizes(), at::kFloat);
      draw.apply(mask.data_ptr<float>(), mask.data_ptr<float>(), mask.numel());
      to = from * mask.to(from.scalar_type());
    }
    return to;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {apply(gradients[0], context->saved_data["probability"].toDouble(),
                  context->saved_data["seed"].toInt()),
            {},
            {}};
  }
};

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE DropoutImpl::DropoutImpl(double probability) : options(probability) {
  TORCH_CHECK_VALUE(probability >= 0 && probability < 1, "Dropout: must be in [0, 1), got ",
                    probability);
}

LIMPID_INLINE at::Tensor DropoutImpl::forward(const at::Tensor& input) {
  if (!is_training() || options.p() == 0) return input;
  if (!input.is_cpu() || options.p() >= 1) return at::dropout(input, options.p(), true);
  auto generator = at::detail::getDefaultCPUGenerator();
  std::uint64_t seed = 0;
  {
    const std::lock_guard<std::mutex> lock{generator.mutex()};
    seed = at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
  }
  return detail::laid_like(
      detail::DropoutFunction::apply(input, options.p(), static_cast<std::int64_t>(seed)), input);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
