#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/kernels/convolution.hpp>
#include <limpid/kernels/row_convolution.hpp>

#include <algorithm>
#endif

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
  explicit Conv2dImpl(const torch::nn::Conv2dOptions& o);

  /// @param input  (N, in_channels, H, W), or one picture without N.
  /// @return       (N, out_channels, H', W').
  at::Tensor forward(const at::Tensor& input);

 private:
  /// The padding of a convolution of stride 1, of a square kernel, that is the same on all sides;
  /// -1 for any other.
  std::int64_t even_padding() const;
};

TORCH_MODULE(Conv2d);

static_assert(ImageModule<Conv2d>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Conv2dImpl::Conv2dImpl(const torch::nn::Conv2dOptions& o)
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

LIMPID_INLINE at::Tensor Conv2dImpl::forward(const at::Tensor& input) {
  if (const auto padding = even_padding(); padding >= 0) {
    const auto kernel = (*options.kernel_size())[0];
    if (kernel == 3 && padding <= 1) return convolution3x3(input, weight, bias, padding);
    if (kernel > 3 && padding < kernel && detail::may_be_in_rows(input, weight, bias) &&
        input.size(2) + 2 * padding >= kernel && input.size(3) + 2 * padding >= kernel) {
      return convolution_in_rows(input, weight, bias, padding);
    }
  }
  return torch::nn::functional::detail::conv2d(input, weight, bias, options.stride(),
                                               options.padding(), options.dilation(),
                                               options.groups());
}

LIMPID_INLINE std::int64_t Conv2dImpl::even_padding() const {
  const auto all = [](const auto& pair, std::int64_t value) {
    return (*pair)[0] == value && (*pair)[1] == value;
  };
  if (!all(options.kernel_size(), (*options.kernel_size())[0]) || !all(options.stride(), 1) ||
      !all(options.dilation(), 1) || options.groups() != 1) {
    return -1;
  }
  const auto& sides = _reversed_padding_repeated_twice;
  return std::count(sides.begin(), sides.end(), sides.front()) == 4 ? sides.front() : -1;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
