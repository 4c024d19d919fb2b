#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/padding.hpp>

#include <ATen/Parallel.h>
#include <ATen/TracerMode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#endif

namespace limpid {

/// Mirrors a border of pixels around a map, as `torch::nn::ReflectionPad2d` does, in less memory:
/// its backward needs none of its input. Without a graph it is LibTorch's. Maps that lie pixel by
/// pixel stay so.
class ReflectionPad2dImpl : public torch::nn::Cloneable<ReflectionPad2dImpl> {
 public:
  /// @throws c10::ValueError for a negative `border`.
  explicit ReflectionPad2dImpl(std::int64_t border);

  void reset() override {}

  /// @param input  (N, C, H, W), sides above the border.
  /// @return       (N, C, H + 2 border, W + 2 border).
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t border_;
};

TORCH_MODULE(ReflectionPad2d);

static_assert(ImageModule<ReflectionPad2d>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

/// A side with a border of mirrored places, without the edge itself.
struct Reflected {
  std::int64_t side, border;

  std::int64_t length() const { return side + 2 * border; }
  /// Where the value at a place of the longer side comes from.
  std::int64_t source(std::int64_t place) const;
};

/// visit(plane, line, its source), of all lines that a border makes of (planes, height, width).
template <class Visit>
void for_each_line(std::int64_t planes, Reflected rows, std::int64_t width, const Visit& visit) {
  const auto grain = std::max<std::int64_t>(1, 32768 / (rows.length() * width));
  at::parallel_for(0, planes, grain, [&](std::int64_t begin, std::int64_t end) {
    for (auto plane = begin; plane < end; ++plane) {
      for (std::int64_t y = 0; y < rows.length(); ++y) visit(plane, y, rows.source(y));
    }
  });
}

/// (N, C, H, W) -> (N, C, H + 2 border, W + 2 border).
template <class Number>
at::Tensor reflected(const at::Tensor& input, std::int64_t border) {
  const Reflected rows{input.size(2), border}, columns{input.size(3), border};
  auto output =
      at::empty({input.size(0), input.size(1), rows.length(), columns.length()}, input.options());
  const auto* from = input.data_ptr<Number>();
  auto* to = output.data_ptr<Number>();
  for_each_line(input.size(0) * input.size(1), rows, columns.length(),
                [&](std::int64_t plane, std::int64_t y, std::int64_t source) {
                  const auto* line = from + (plane * rows.side + source) * columns.side;
                  auto* result = to + (plane * rows.length() + y) * columns.length();
                  for (std::int64_t x = 0; x < border; ++x) result[x] = line[columns.source(x)];
                  std::copy(line, line + columns.side, result + border);
                  for (auto x = border + columns.side; x < columns.length(); ++x) {
                    result[x] = line[columns.source(x)];
                  }
                });
  return output;
}

/// The gradient of `reflected`: (N, C, H + 2 border, W + 2 border) -> (N, C, H, W).
template <class Number>
at::Tensor folded(const at::Tensor& gradient, std::int64_t border) {
  const Reflected rows{gradient.size(2) - 2 * border, border};
  const Reflected columns{gradient.size(3) - 2 * border, border};
  auto output =
      at::zeros({gradient.size(0), gradient.size(1), rows.side, columns.side}, gradient.options());
  const auto* from = gradient.data_ptr<Number>();
  auto* to = output.template data_ptr<Number>();
  for_each_line(gradient.size(0) * gradient.size(1), rows, columns.length(),
                [&](std::int64_t plane, std::int64_t y, std::int64_t source) {
                  const auto* line = from + (plane * rows.length() + y) * columns.length();
                  auto* result = to + (plane * rows.side + source) * columns.side;
                  for (std::int64_t x = 0; x < border; ++x) result[columns.source(x)] += line[x];
                  for (std::int64_t x = 0; x < columns.side; ++x) result[x] += line[border + x];
                  for (auto x = border + columns.side; x < columns.length(); ++x) {
                    result[columns.source(x)] += line[x];
                  }
                });
  return output;
}

/// Calls work(number), a number of the type of `tensor`'s.
template <class Work>
at::Tensor with_type_of(const at::Tensor& tensor, const Work& work) {
  switch (tensor.scalar_type()) {
    case at::kBFloat16:
      return work(at::BFloat16{});
    case at::kDouble:
      return work(double{});
    default:
      return work(float{});
  }
}

class FoldedBorder;

/// Reflection padding that keeps nothing for its backward, where LibTorch keeps its whole input,
/// and that computes in bfloat16 under autocast, where LibTorch's converts to float32.
class ReflectedBorder : public torch::autograd::Function<ReflectedBorder> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            std::int64_t border);

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients);
};

/// Its gradient.
class FoldedBorder : public torch::autograd::Function<FoldedBorder> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            std::int64_t border);

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients);
};

inline torch::autograd::variable_list ReflectedBorder::backward(
    torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
  const auto border = context->saved_data["border"].toInt();
  return {FoldedBorder::apply(gradients[0], border), {}};
}

LIMPID_INLINE std::int64_t Reflected::source(std::int64_t place) const {
  const auto at = place - border;
  return at < 0 ? -at : at < side ? at : 2 * (side - 1) - at;
}

LIMPID_INLINE at::Tensor ReflectedBorder::forward(torch::autograd::AutogradContext* context,
                                                  const at::Tensor& input, std::int64_t border) {
  context->saved_data["border"] = border;
  const auto from = input.contiguous();
  return with_type_of(from, [&]<class Number>(Number) { return reflected<Number>(from, border); });
}

LIMPID_INLINE at::Tensor FoldedBorder::forward(torch::autograd::AutogradContext* context,
                                               const at::Tensor& input, std::int64_t border) {
  context->saved_data["border"] = border;
  const auto from = input.contiguous();
  return with_type_of(from, [&]<class Number>(Number) { return folded<Number>(from, border); });
}

LIMPID_INLINE torch::autograd::variable_list FoldedBorder::backward(
    torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
  const auto border = context->saved_data["border"].toInt();
  return {ReflectedBorder::apply(gradients[0], border), {}};
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE ReflectionPad2dImpl::ReflectionPad2dImpl(std::int64_t border) : border_(border) {
  detail::check_at_least("ReflectionPad2d: border", border, 0);
}

LIMPID_INLINE at::Tensor ReflectionPad2dImpl::forward(const at::Tensor& input) {
  // Without a graph there is nothing to keep, and whoever records operators sees LibTorch's.
  const auto type = input.scalar_type();
  const bool own = at::GradMode::is_enabled() && input.requires_grad() && input.is_cpu() &&
                   input.dim() == 4 && input.is_contiguous() &&
                   (type == at::kFloat || type == at::kBFloat16 || type == at::kDouble) &&
                   input.numel() > 0 && border_ < input.size(2) && border_ < input.size(3) &&
                   !at::tracer::impl::is_dispatch_enabled();
  if (own) return detail::ReflectedBorder::apply(input, border_);
  return detail::reflection_pad(input, {border_, border_, border_, border_});
}

}  // namespace limpid

#endif  // LIMPID_BODIES
