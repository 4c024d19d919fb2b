#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <tuple>

#ifdef LIMPID_BODIES
#include <limpid/core/autocast.hpp>
#include <limpid/kernels/convolution_switch.hpp>
#include <limpid/kernels/winograd_rule.hpp>

#include <ATen/TracerMode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <type_traits>
#include <utility>
#include <vector>
#endif

namespace limpid {

namespace detail {

/// Whether LibTorch must see every operator: one records them for a file, or casts their arguments.
LIMPID_INLINE bool operators_are_watched();

/// Whether a tensor has its numbers in memory, in float32 and on the CPU.
LIMPID_INLINE bool is_plain_float(const at::Tensor& tensor);

/// Whether this thread's convolutions on the CPU are to be in bfloat16, by autocast.
LIMPID_INLINE bool is_cast_to_bfloat16();

/// Whether a tensor is an input that can be read here: float32 or, where autocast would make it
/// bfloat16, that.
LIMPID_INLINE bool is_fast_input(const at::Tensor& tensor);

/// Whether nothing here records operators, and nothing casts their arguments but to bfloat16.
LIMPID_INLINE bool may_leave_libtorch();

/// Whether 3x3 convolutions of stride 1 may leave LibTorch here, and the arguments are what they
/// should be, so that LibTorch refuses those that are not.
LIMPID_INLINE bool may_be_fast(const at::Tensor& input, const at::Tensor& weight,
                               const at::Tensor& bias, std::int64_t padding);

/// The gradients of a 3x3 convolution of stride 1 that are asked for, by LibTorch.
LIMPID_INLINE std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_gradients(
    const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight,
    std::int64_t padding, std::array<bool, 3> wanted);

}  // namespace detail

/// A 3x3 convolution of stride 1: by Winograd's algorithm where `ConvolutionScope` allows it, the
/// machine can and the shape is one for which it pays; by `at::conv2d` otherwise. Gradients alike.
/// Under autocast to bfloat16, Winograd's way computes in float32, which takes it less time than
/// `at::conv2d` takes in bfloat16; only what comes in and goes out is bfloat16.
///
/// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016; the
/// arithmetic is oneDNN's.
/// @param input    (N, C, H, W).
/// @param weight   (K, C, 3, 3).
/// @param bias     (K), or undefined.
/// @param padding  zeros on each side.
/// @return         (N, K, H + 2 padding - 2, W + 2 padding - 2).
LIMPID_INLINE at::Tensor convolution3x3(const at::Tensor& input, const at::Tensor& weight,
                                        const at::Tensor& bias, std::int64_t padding);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE bool operators_are_watched() {
  return autocast_is_on(at::kCPU) || at::tracer::impl::is_dispatch_enabled();
}

LIMPID_INLINE bool is_plain_float(const at::Tensor& tensor) {
  return tensor.defined() && tensor.scalar_type() == at::kFloat && tensor.is_cpu() &&
         tensor.layout() == at::kStrided && !tensor._is_zerotensor() && tensor.numel() > 0;
}

LIMPID_INLINE bool is_cast_to_bfloat16() {
  return autocast_is_on(at::kCPU) && autocast_type(at::kCPU) == at::kBFloat16;
}

LIMPID_INLINE bool may_leave_libtorch() {
  return is_cast_to_bfloat16() ? !at::tracer::impl::is_dispatch_enabled()
                               : !operators_are_watched();
}

LIMPID_INLINE bool is_fast_input(const at::Tensor& tensor) {
  if (is_plain_float(tensor)) return true;
  return is_cast_to_bfloat16() && tensor.defined() && tensor.scalar_type() == at::kBFloat16 &&
         tensor.is_cpu() && tensor.layout() == at::kStrided && !tensor._is_zerotensor() &&
         tensor.numel() > 0;
}

LIMPID_INLINE bool may_be_fast(const at::Tensor& input, const at::Tensor& weight,
                               const at::Tensor& bias, std::int64_t padding) {
  return ConvolutionScope::in_force() == Convolution::fast && machine_has_winograd() &&
         is_fast_input(input) && is_plain_float(weight) && input.dim() == 4 && weight.dim() == 4 &&
         weight.size(1) == input.size(1) && weight.size(2) == 3 && weight.size(3) == 3 &&
         (padding == 0 || padding == 1) &&
         (!bias.defined() ||
          (is_plain_float(bias) && bias.dim() == 1 && bias.size(0) == weight.size(0))) &&
         may_leave_libtorch();
}

LIMPID_INLINE std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_gradients(
    const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight,
    std::int64_t padding, std::array<bool, 3> wanted) {
  const std::array<std::int64_t, 1> channels{gradient.size(1)};
  const std::array<std::int64_t, 2> one{1, 1}, pad{padding, padding}, none{0, 0};
  return at::convolution_backward(gradient, input, weight, at::IntArrayRef{channels}, one, pad, one,
                                  false, none, 1, wanted);
}

#if LIMPID_WITH_ONEDNN

inline WinogradShape winograd_shape(const at::Tensor& input, const at::Tensor& weight, bool bias,
                                    std::int64_t padding) {
  return {input.size(0), input.size(1), weight.size(0), input.size(2), input.size(3),
          padding,       bias};
}

/// What computes this convolution fast; null where LibTorch shall.
inline WinogradPlan fast_plan(const at::Tensor& input, const at::Tensor& weight,
                              const at::Tensor& bias, std::int64_t padding) {
  if (!may_be_fast(input, weight, bias, padding)) return nullptr;
  const auto shape = winograd_shape(input, weight, bias.defined(), padding);
  return winograd_pays(shape) ? plan_winograd(WinogradPass::forward, shape) : nullptr;
}

/// A 3x3 convolution of stride 1 by Winograd's algorithm, and its gradients. A backward that
/// itself needs a graph (gradient penalties) is made of LibTorch's operators.
class WinogradConvolution : public torch::autograd::Function<WinogradConvolution> {
 public:
  using OptionalTensor =
      std::remove_cvref_t<decltype(std::declval<const at::IValue&>().toOptional<at::Tensor>())>;

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const OptionalTensor& bias,
                            std::int64_t padding, const WinogradPlan& plan) {
    // Of a frozen weight the input need not be kept, and the other way round.
    const bool needs_weight = input.requires_grad();
    const bool needs_input = weight.requires_grad();
    context->save_for_backward(
        {needs_input ? input : at::Tensor{}, needs_weight ? weight : at::Tensor{}});
    context->saved_data["padding"] = padding;
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["sizes"] = input.sizes().vec();
    context->saved_data["half"] = input.scalar_type() == at::kBFloat16;
    const auto shape = winograd_shape(input, weight, bias.has_value(), padding);
    const auto type = is_cast_to_bfloat16() ? at::kBFloat16 : at::kFloat;
    return winograd_forward(*plan, shape, input, weight, bias ? *bias : at::Tensor{}, type);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto& gradient = gradients[0];
    const auto saved = context->get_saved_variables();
    const auto padding = context->saved_data["padding"].toInt();
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const Arguments arguments{
        gradient,
        saved[0],
        saved[1],
        sizes,
        padding,
        context->saved_data["half"].toBool() ? at::kBFloat16 : at::kFloat,
        {context->needs_input_grad(0), context->needs_input_grad(1),
         context->saved_data["bias"].toBool() && context->needs_input_grad(2)}};
    auto found = at::GradMode::is_enabled() ? ConvolutionGradients{} : by_winograd(arguments);
    by_libtorch(arguments, found);
    return {found.input, found.weight, found.bias, {}, {}};
  }

 private:
  struct Arguments {
    const at::Tensor &gradient, &input, &weight;  // the last two undefined where none needs them
    const std::vector<std::int64_t>& sizes;       // of the input
    std::int64_t padding;
    at::ScalarType type;         // of the input
    std::array<bool, 3> wanted;  // gradients of input, weight, bias
  };

  static ConvolutionGradients by_winograd(const Arguments& a) {
    WinogradShape shape{a.sizes[0], a.sizes[1], a.gradient.size(1), a.sizes[2],
                        a.sizes[3], a.padding,  a.wanted[2]};
    const auto plan = [&](bool wanted, WinogradPass pass) {
      return wanted ? plan_winograd(pass, shape) : nullptr;
    };
    const auto for_weight = plan(a.wanted[1], WinogradPass::weight_gradient);
    shape.bias = shape.bias && for_weight;  // it comes with the weight's gradient
    const auto for_input = plan(a.wanted[0], WinogradPass::input_gradient);
    if (!for_input && !for_weight) return {};
    return winograd_backward({shape, for_input, for_weight, a.type}, a.gradient, a.input, a.weight);
  }

  /// What is wanted and not `found` yet, in float32.
  static void by_libtorch(const Arguments& a, ConvolutionGradients& found) {
    const std::array<bool, 3> missing{a.wanted[0] && !found.input.defined(),
                                      a.wanted[1] && !found.weight.defined(),
                                      a.wanted[2] && !found.bias.defined()};
    if (missing == std::array{false, false, false}) return;
    const auto gradient = a.gradient.to(at::kFloat);
    if (missing == std::array{false, false, true}) {
      found.bias = gradient.sum({0, 2, 3});
      return;
    }
    const auto sized = [&](const at::Tensor& tensor, at::IntArrayRef sizes) {
      return tensor.defined() ? tensor.to(at::kFloat) : gradient.new_zeros({1}).expand(sizes);
    };
    const auto [input, weight, bias] = convolution_gradients(
        gradient, sized(a.input, a.sizes), sized(a.weight, {gradient.size(1), a.sizes[1], 3, 3}),
        a.padding, missing);
    if (missing[0]) found.input = input.to(a.type);
    if (missing[1]) found.weight = weight;
    if (missing[2]) found.bias = bias;
  }
};

#endif

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor convolution3x3(const at::Tensor& input, const at::Tensor& weight,
                                        const at::Tensor& bias, std::int64_t padding) {
#if LIMPID_WITH_ONEDNN
  if (const auto plan = detail::fast_plan(input, weight, bias, padding)) {
    using Function = detail::WinogradConvolution;
    const auto optional =
        bias.defined() ? Function::OptionalTensor{bias} : Function::OptionalTensor{};
    return Function::apply(input, weight, optional, padding, plan);
  }
#endif
  return at::conv2d(input, weight, bias, 1, padding);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
