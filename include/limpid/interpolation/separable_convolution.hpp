#pragma once

#include <limpid/interpolation/separable_kernels.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/unfold_backward.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstdint>

namespace limpid {

namespace detail {

inline SeparableSizes separable_sizes(const at::Tensor& frame, const at::Tensor& vertical) {
  return {frame.size(0), frame.size(1), vertical.size(2), vertical.size(3), vertical.size(1)};
}

struct SeparableGradients {
  at::Tensor frame, vertical, horizontal;  ///< undefined where none was asked for
};

// With plain tensor operations, on any device. Memory is a few times that of one kernel: one
// vertical tap at a time, never all taps * taps products.

/// The rows that vertical tap `i` sees, (N, C, H, W, taps), a view.
inline at::Tensor separable_window(const at::Tensor& frame, const SeparableSizes& sizes,
                                   std::int64_t i) {
  return frame.narrow(2, i, sizes.height).unfold(3, sizes.taps, 1);
}

inline at::Tensor separable_forward_by_tensors(const at::Tensor& frame, const at::Tensor& vertical,
                                               const at::Tensor& horizontal) {
  const auto sizes = separable_sizes(frame, vertical);
  const auto across = horizontal.permute({0, 2, 3, 1}).contiguous();  // (N, H, W, taps)
  auto out = at::zeros({sizes.batch, sizes.channels, sizes.height, sizes.width}, frame.options());
  for (std::int64_t i = 0; i < sizes.taps; ++i) {
    const auto window = separable_window(frame, sizes, i);
    for (std::int64_t c = 0; c < sizes.channels; ++c) {
      out.select(1, c).addcmul_((window.select(1, c) * across).sum(-1), vertical.select(1, i));
    }
  }
  return out;
}

inline SeparableGradients separable_backward_by_tensors(const at::Tensor& frame,
                                                        const at::Tensor& vertical,
                                                        const at::Tensor& horizontal,
                                                        const at::Tensor& grad_out,
                                                        bool frame_wanted, bool kernels_wanted) {
  const auto sizes = separable_sizes(frame, vertical);
  const auto across = horizontal.permute({0, 2, 3, 1}).contiguous();
  SeparableGradients gradients;
  at::Tensor grad_across;
  if (kernels_wanted) {
    gradients.vertical = at::empty(vertical.sizes(), vertical.options());
    grad_across = at::zeros(across.sizes(), across.options());
  }
  if (frame_wanted) gradients.frame = at::zeros(frame.sizes(), frame.options());
  for (std::int64_t i = 0; i < sizes.taps; ++i) {
    const auto down = vertical.select(1, i);
    if (kernels_wanted) {
      const auto window = separable_window(frame, sizes, i);
      auto seen = at::zeros(across.sizes(), across.options());
      for (std::int64_t c = 0; c < sizes.channels; ++c) {
        seen.addcmul_(window.select(1, c), grad_out.select(1, c).unsqueeze(-1));
      }
      gradients.vertical.select(1, i).copy_((seen * across).sum(-1));
      grad_across.addcmul_(seen, down.unsqueeze(-1));
    }
    for (std::int64_t c = 0; frame_wanted && c < sizes.channels; ++c) {
      const auto weights = (grad_out.select(1, c) * down).unsqueeze(-1) * across;
      gradients.frame.select(1, c)
          .narrow(1, i, sizes.height)
          .add_(at::unfold_backward(weights, {sizes.batch, sizes.height, sizes.frame_width()}, 2,
                                    sizes.taps, 1));
    }
  }
  if (kernels_wanted) gradients.horizontal = grad_across.permute({0, 3, 1, 2}).contiguous();
  return gradients;
}

// With the loops for the CPU. All tensors are contiguous, of type T.

template <class T>
at::Tensor separable_forward_by_loops(const at::Tensor& frame, const at::Tensor& vertical,
                                      const at::Tensor& horizontal) {
  const auto sizes = separable_sizes(frame, vertical);
  auto out = at::empty({sizes.batch, sizes.channels, sizes.height, sizes.width}, frame.options());
  run_loop(SeparableForward<T>{sizes, frame.data_ptr<T>(), vertical.data_ptr<T>(),
                               horizontal.data_ptr<T>(), out.data_ptr<T>()});
  return out;
}

template <class T>
SeparableGradients separable_backward_by_loops(const at::Tensor& frame, const at::Tensor& vertical,
                                               const at::Tensor& horizontal,
                                               const at::Tensor& grad_out, bool frame_wanted,
                                               bool kernels_wanted) {
  const auto sizes = separable_sizes(frame, vertical);
  const auto* down = vertical.data_ptr<T>();
  const auto* across = horizontal.data_ptr<T>();
  const auto* grad = grad_out.data_ptr<T>();
  SeparableGradients gradients;
  if (kernels_wanted) {
    gradients.vertical = at::empty(vertical.sizes(), vertical.options());
    gradients.horizontal = at::empty(horizontal.sizes(), horizontal.options());
    run_loop(SeparableKernelGradients<T>{sizes, frame.data_ptr<T>(), down, across, grad,
                                         gradients.vertical.data_ptr<T>(),
                                         gradients.horizontal.data_ptr<T>()});
  }
  if (frame_wanted) {
    gradients.frame = at::zeros(frame.sizes(), frame.options());
    run_loop(SeparableFrameGradient<T>{sizes, down, across, grad, gradients.frame.data_ptr<T>()});
  }
  return gradients;
}

inline at::Tensor separable_forward(const at::Tensor& frame, const at::Tensor& vertical,
                                    const at::Tensor& horizontal) {
  if (!frame.is_cpu()) return separable_forward_by_tensors(frame, vertical, horizontal);
  return frame.scalar_type() == at::kDouble
             ? separable_forward_by_loops<double>(frame, vertical, horizontal)
             : separable_forward_by_loops<float>(frame, vertical, horizontal);
}

inline SeparableGradients separable_backward(const at::Tensor& frame, const at::Tensor& vertical,
                                             const at::Tensor& horizontal,
                                             const at::Tensor& grad_out, bool frame_wanted,
                                             bool kernels_wanted) {
  const auto by = !frame.is_cpu()                      ? separable_backward_by_tensors
                  : frame.scalar_type() == at::kDouble ? separable_backward_by_loops<double>
                                                       : separable_backward_by_loops<float>;
  return by(frame, vertical, horizontal, grad_out, frame_wanted, kernels_wanted);
}

struct SeparableFunction : torch::autograd::Function<SeparableFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& frame,
                            const at::Tensor& vertical, const at::Tensor& horizontal) {
    context->save_for_backward({frame, vertical, horizontal});
    return separable_forward(frame, vertical, horizontal);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grad_out) {
    TORCH_CHECK(!c10::GradMode::is_enabled(),
                "separable_convolution: has no second derivatives (create_graph)");
    const auto saved = context->get_saved_variables();
    const bool kernels_wanted = saved[1].requires_grad() || saved[2].requires_grad();
    const auto gradients =
        separable_backward(saved[0], saved[1], saved[2], grad_out[0].contiguous(),
                           saved[0].requires_grad(), kernels_wanted);
    return {gradients.frame, gradients.vertical, gradients.horizontal};
  }
};

}  // namespace detail

/// Convolves each pixel's neighbourhood with that pixel's own kernel, the product of a column and a
/// row of taps:
///
///     out(c, y, x) = sum over i, j of vertical(i, y, x) * horizontal(j, y, x) * frame(c, y+i, x+j)
///
/// Source: Niklaus, Mai and Liu, "Video Frame Interpolation via Adaptive Separable Convolution",
/// ICCV 2017, sec. 3. A correlation: nothing is flipped, nothing is padded.
///
/// Differentiable once in all three arguments; a second derivative is an error. Hand-written loops
/// on the CPU, tensor operations elsewhere; neither holds all taps * taps products. Computes in
/// double if an argument is double, else in float (bfloat16 and half are converted).
///
/// @param frame       (N, C, H + taps - 1, W + taps - 1)
/// @param vertical    (N, taps, H, W)
/// @param horizontal  (N, taps, H, W)
/// @return            (N, C, H, W), of the type it was computed in
/// @throws c10::ValueError for other shapes, types that are not floating, or several devices.
inline at::Tensor separable_convolution(const at::Tensor& frame, const at::Tensor& vertical,
                                        const at::Tensor& horizontal) {
  TORCH_CHECK_VALUE(
      vertical.dim() == 4 && vertical.size(1) >= 1 && horizontal.sizes() == vertical.sizes(),
      "separable_convolution: expected vertical and horizontal (N, taps, H, W), got ",
      vertical.sizes(), " and ", horizontal.sizes());
  const auto taps = vertical.size(1);
  TORCH_CHECK_VALUE(frame.dim() == 4 && frame.size(0) == vertical.size(0) &&
                        frame.size(2) == vertical.size(2) + taps - 1 &&
                        frame.size(3) == vertical.size(3) + taps - 1,
                    "separable_convolution: expected frame (", vertical.size(0), ", C, ",
                    vertical.size(2) + taps - 1, ", ", vertical.size(3) + taps - 1, "), got ",
                    frame.sizes());
  auto type = at::kFloat;
  for (const auto* tensor : {&frame, &vertical, &horizontal}) {
    TORCH_CHECK_VALUE(tensor->is_floating_point(), "separable_convolution: expected floats, got ",
                      tensor->scalar_type());
    TORCH_CHECK_VALUE(tensor->device() == frame.device(),
                      "separable_convolution: expected one device, got ", frame.device(), " and ",
                      tensor->device());
    if (tensor->scalar_type() == at::kDouble) type = at::kDouble;
  }
  return detail::SeparableFunction::apply(frame.to(type).contiguous(),
                                          vertical.to(type).contiguous(),
                                          horizontal.to(type).contiguous());
}

}  // namespace limpid
