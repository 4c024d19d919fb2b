#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/autocast.hpp>
#include <limpid/kernels/convolution.hpp>

#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <vector>
#endif

namespace limpid {

/// A transposed convolution without groups or dilation: as the gradient of a convolution where
/// `ConvolutionScope` allows it and the numbers are float32 on the CPU; by `at::conv_transpose2d`
/// otherwise. Gradients alike. Under autocast to bfloat16 it computes in bfloat16 where the CPU has
/// instructions for it; LibTorch's computes in float32.
///
/// @param input   (N, C, H, W).
/// @param weight  (C, K, kernel, kernel).
/// @param bias    (K), or undefined.
/// @return        (N, K, (H - 1) stride - 2 padding + kernel + output_padding, ...).
LIMPID_INLINE at::Tensor transposed_convolution(const at::Tensor& input, const at::Tensor& weight,
                                                const at::Tensor& bias, std::int64_t stride,
                                                std::int64_t padding, std::int64_t output_padding);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

/// A transposed convolution is the input's gradient of a convolution, and its own gradients are
/// that convolution and the gradient of its weight. LibTorch computes all of these by oneDNN, but
/// the transposed one itself by another way, at half the speed.
///
/// Its backward is made of operators that have gradients, so there is a second one.
class TransposedConvolution : public torch::autograd::Function<TransposedConvolution> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, std::int64_t stride, std::int64_t padding,
                            std::int64_t output_padding);

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list incoming);

 private:
  /// The gradient of the input (0) or of the weight (1) of a convolution.
  static at::Tensor gradients(const at::Tensor& gradient, const at::Tensor& input,
                              const at::Tensor& weight, std::int64_t stride, std::int64_t padding,
                              int which);
};

LIMPID_INLINE at::Tensor TransposedConvolution::forward(torch::autograd::AutogradContext* context,
                                                        const at::Tensor& input,
                                                        const at::Tensor& weight,
                                                        std::int64_t stride, std::int64_t padding,
                                                        std::int64_t output_padding) {
  context->save_for_backward({input, weight});
  context->saved_data["stride"] = stride;
  context->saved_data["padding"] = padding;
  const auto side = [&](std::int64_t dimension) {
    return (input.size(dimension) - 1) * stride - 2 * padding + weight.size(dimension) +
           output_padding;
  };
  const std::vector<std::int64_t> sizes{input.size(0), weight.size(1), side(2), side(3)};
  // Only the sizes of this are read.
  return gradients(input, at::empty(sizes, input.options()), weight, stride, padding, 0);
}

LIMPID_INLINE torch::autograd::variable_list TransposedConvolution::backward(
    torch::autograd::AutogradContext* context, torch::autograd::variable_list incoming) {
  const auto saved = context->get_saved_variables();
  const auto stride = context->saved_data["stride"].toInt();
  const auto padding = context->saved_data["padding"].toInt();
  at::Tensor input, weight;
  if (context->needs_input_grad(0)) {
    input = at::conv2d(incoming[0], saved[1], {}, stride, padding);
  }
  if (context->needs_input_grad(1)) {
    weight = gradients(saved[0], incoming[0], saved[1], stride, padding, 1);
  }
  return {input, weight, {}, {}, {}};
}

LIMPID_INLINE at::Tensor TransposedConvolution::gradients(const at::Tensor& gradient,
                                                          const at::Tensor& input,
                                                          const at::Tensor& weight,
                                                          std::int64_t stride, std::int64_t padding,
                                                          int which) {
  const std::array<std::int64_t, 2> strides{stride, stride}, pad{padding, padding}, one{1, 1},
      none{0, 0};
  const auto found = at::convolution_backward(gradient, input, weight, {}, strides, pad, one, false,
                                              none, 1, {which == 0, which == 1, false});
  return which == 0 ? std::get<0>(found) : std::get<1>(found);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor transposed_convolution(const at::Tensor& input, const at::Tensor& weight,
                                                const at::Tensor& bias, std::int64_t stride,
                                                std::int64_t padding, std::int64_t output_padding) {
  const bool half = detail::is_cast_to_bfloat16();
  const bool fast =
      ConvolutionScope::in_force() == Convolution::fast && stride > 1 && output_padding < stride &&
      detail::is_fast_input(input) && detail::is_plain_float(weight) && input.dim() == 4 &&
      weight.dim() == 4 && weight.size(0) == input.size(1) &&
      (!bias.defined() ||
       (detail::is_plain_float(bias) && bias.dim() == 1 && bias.size(0) == weight.size(1))) &&
      detail::may_leave_libtorch() && (!half || cpu_has_bfloat16());
  if (!fast) {
    return at::conv_transpose2d(input, weight, bias, stride, padding, output_padding);
  }
  const auto type = half ? at::kBFloat16 : at::kFloat;
  auto result = detail::TransposedConvolution::apply(input.to(type), weight.to(type), stride,
                                                     padding, output_padding);
  return bias.defined() ? result.add_(bias.view({1, -1, 1, 1})) : result;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
