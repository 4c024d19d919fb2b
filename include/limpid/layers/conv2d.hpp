#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/kernels/convolution.hpp>

#include <torch/nn.h>

#include <algorithm>
#include <cstdint>

namespace limpid {

/// `torch::nn::Conv2d` with limpid's kernels behind it: options, parameter names, initial weights
/// and errors are the same, what it computes follows `ConvolutionScope`.
///
/// Differs: pads by zeros only.
class Conv2dImpl : public torch::nn::ConvNdImpl<2, Conv2dImpl> {
 public:
  Conv2dImpl(std::int64_t in, std::int64_t out, torch::ExpandingArray<2> kernel)
      : Conv2dImpl(torch::nn::Conv2dOptions(in, out, kernel)) {}

  /// @throws c10::ValueError for another `padding_mode` than zeros.
  explicit Conv2dImpl(const torch::nn::Conv2dOptions& o)
      : ConvNdImpl(
            torch::nn::detail::ConvNdOptions<2>(o.in_channels(), o.out_channels(), o.kernel_size())
                .stride(o.stride())
                .padding(o.padding())
                .dilation(o.dilation())
                .groups(o.groups())
                .bias(o.bias())
                .padding_mode(o.padding_mode())) {
    TORCH_CHECK_VALUE(o.padding_mode().index() == 0,
                      "Conv2d: expected padding_mode zeros; a ReflectionPad2d before it does that");
  }

  /// @param input  (N, in_channels, H, W), or one picture without N.
  /// @return       (N, out_channels, H', W').
  at::Tensor forward(const at::Tensor& input) {
    if (const auto padding = fast_padding(); padding >= 0) {
      return convolution3x3(input, weight, bias, padding);
    }
    return torch::nn::functional::detail::conv2d(input, weight, bias, options.stride(),
                                                 options.padding(), options.dilation(),
                                                 options.groups());
  }

 private:
  /// The padding of a 3x3 convolution of stride 1 that has one; -1 for any other.
  std::int64_t fast_padding() const {
    const auto all = [](const auto& pair, std::int64_t value) {
      return (*pair)[0] == value && (*pair)[1] == value;
    };
    if (!all(options.kernel_size(), 3) || !all(options.stride(), 1) ||
        !all(options.dilation(), 1) || options.groups() != 1) {
      return -1;
    }
    const auto& sides = _reversed_padding_repeated_twice;
    const auto side = sides.front();
    return side <= 1 && std::count(sides.begin(), sides.end(), side) == 4 ? side : -1;
  }
};

TORCH_MODULE(Conv2d);

static_assert(ImageModule<Conv2d>);

}  // namespace limpid
