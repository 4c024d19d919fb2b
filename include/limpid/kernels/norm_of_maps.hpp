#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>

#include <cmath>
#endif

namespace limpid {

namespace detail {

/// Sums of several terms over `count` places: of so many in float and side by side, the rest in
/// double.
/// @param terms  terms(i, sums): adds the terms of place i to sums[0], sums[1] ...
template <std::size_t Sums, class Terms>
std::array<double, Sums> summed(std::int64_t count, const Terms& terms) {
  constexpr std::int64_t kLanes = 16, kRun = 1024;
  std::array<double, Sums> all{};
  for (std::int64_t begin = 0; begin < count; begin += kRun) {
    const auto end = std::min(begin + kRun, count);
    std::array<std::array<float, kLanes>, Sums> lanes{};
    auto i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        const auto term = terms(i + lane);
        for (std::size_t k = 0; k < Sums; ++k) lanes[k][lane] += term[k];
      }
    }
    for (; i < end; ++i) {
      const auto term = terms(i);
      for (std::size_t k = 0; k < Sums; ++k) lanes[k][0] += term[k];
    }
    for (std::size_t k = 0; k < Sums; ++k) {
      double sum = 0;
      for (const auto lane : lanes[k]) sum += lane;
      all[k] += sum;
    }
  }
  return all;
}

/// Instance norm in one visit of each map, which then is in the cache: LibTorch's computes sums of
/// maps one number at a time.
class NormOfMaps : public torch::autograd::Function<NormOfMaps> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            double epsilon);

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients);

 private:
  static std::int64_t grain(std::int64_t area) { return std::max<std::int64_t>(1, 32768 / area); }

  /// The maps normalised, of `Number`; `moments` becomes their means and reciprocal deviations.
  template <class Number>
  static at::Tensor normalised(const at::Tensor& input, double epsilon, const at::Tensor& moments);

  /// (gradient - its mean - normalised x mean of gradient x normalised) / deviation, of `Number`.
  template <class Number>
  static at::Tensor plain(const at::Tensor& gradient, const at::Tensor& input,
                          const at::Tensor& moments);

  /// The same of LibTorch's operators, from the input on, so that it has gradients itself.
  static at::Tensor differentiable(const at::Tensor& gradient, const at::Tensor& input,
                                   double epsilon);
};

}  // namespace detail

/// Each map of each picture with mean 0 and variance 1, as `at::instance_norm` without weights.
///
/// @param input    (N, C, H, W), contiguous, on the CPU, float32 or bfloat16; the latter is
///                 computed in float32.
/// @param epsilon  added to the variance.
/// @return         the same shape and type. It has gradients of the first and second order.
LIMPID_INLINE at::Tensor norm_of_maps(const at::Tensor& input, double epsilon);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

template <class Number>
at::Tensor NormOfMaps::normalised(const at::Tensor& input, double epsilon,
                                  const at::Tensor& moments) {
  const auto planes = input.size(0) * input.size(1), area = input.size(2) * input.size(3);
  auto output = at::empty(input.sizes(), input.options());
  const auto* from = input.data_ptr<Number>();
  auto* to = output.template data_ptr<Number>();
  auto* means = moments.data_ptr<float>();
  auto* scales = means + planes;
  const auto count = static_cast<double>(area);
  at::parallel_for(0, planes, grain(area), [&](std::int64_t begin, std::int64_t end) {
    for (auto plane = begin; plane < end; ++plane) {
      const auto* x = from + plane * area;
      auto* y = to + plane * area;
      const auto mean = static_cast<float>(
          summed<1>(area, [x](std::int64_t i) { return std::array{static_cast<float>(x[i])}; })[0] /
          count);
      const auto squares = summed<1>(area, [x, mean](std::int64_t i) {
        const auto off = static_cast<float>(x[i]) - mean;
        return std::array{off * off};
      })[0];
      const auto scale = static_cast<float>(1 / std::sqrt(squares / count + epsilon));
      means[plane] = mean;
      scales[plane] = scale;
      for (std::int64_t i = 0; i < area; ++i) {
        y[i] = static_cast<Number>((static_cast<float>(x[i]) - mean) * scale);
      }
    }
  });
  return output;
}

LIMPID_INLINE at::Tensor NormOfMaps::forward(torch::autograd::AutogradContext* context,
                                             const at::Tensor& input, double epsilon) {
  const auto moments =
      at::empty({2, input.size(0) * input.size(1)}, input.options().dtype(at::kFloat));
  context->save_for_backward({input, moments});
  context->saved_data["epsilon"] = epsilon;
  return input.scalar_type() == at::kBFloat16 ? normalised<at::BFloat16>(input, epsilon, moments)
                                              : normalised<float>(input, epsilon, moments);
}

LIMPID_INLINE torch::autograd::variable_list NormOfMaps::backward(
    torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
  const auto saved = context->get_saved_variables();
  const auto &input = saved[0], &moments = saved[1];
  if (at::GradMode::is_enabled()) {
    return {differentiable(gradients[0], input, context->saved_data["epsilon"].toDouble()), {}};
  }
  const auto gradient = gradients[0].contiguous();
  return {input.scalar_type() == at::kBFloat16 ? plain<at::BFloat16>(gradient, input, moments)
                                               : plain<float>(gradient, input, moments),
          {}};
}

template <class Number>
at::Tensor NormOfMaps::plain(const at::Tensor& gradient, const at::Tensor& input,
                             const at::Tensor& moments) {
  const auto planes = input.size(0) * input.size(1), area = input.size(2) * input.size(3);
  auto output = at::empty(input.sizes(), input.options());
  const auto *incoming = gradient.data_ptr<Number>(), *from = input.data_ptr<Number>();
  const auto* means = moments.data_ptr<float>();
  const auto* scales = means + planes;
  auto* to = output.template data_ptr<Number>();
  const auto count = static_cast<double>(area);
  at::parallel_for(0, planes, grain(area), [&](std::int64_t begin, std::int64_t end) {
    for (auto plane = begin; plane < end; ++plane) {
      const auto *g = incoming + plane * area, *x = from + plane * area;
      auto* result = to + plane * area;
      const auto mean = means[plane], scale = scales[plane];
      const auto sums = summed<2>(area, [g, x, mean](std::int64_t i) {
        const auto slope = static_cast<float>(g[i]);
        return std::array{slope, slope * (static_cast<float>(x[i]) - mean)};
      });
      const auto level = static_cast<float>(sums[0] / count);
      const auto slope = static_cast<float>(sums[1] / count) * scale * scale;
      for (std::int64_t i = 0; i < area; ++i) {
        const auto off = static_cast<float>(x[i]) - mean;
        result[i] = static_cast<Number>((static_cast<float>(g[i]) - level - off * slope) * scale);
      }
    }
  });
  return output;
}

LIMPID_INLINE at::Tensor NormOfMaps::differentiable(const at::Tensor& gradient,
                                                    const at::Tensor& input, double epsilon) {
  const auto mean_of = [](const at::Tensor& maps) { return maps.mean({2, 3}, true); };
  const auto wide = input.to(at::kFloat), slope = gradient.to(at::kFloat);
  const auto centred = wide - mean_of(wide);
  const auto scale = (mean_of(centred.square()) + epsilon).rsqrt();
  const auto normal = centred * scale;
  const auto found = (slope - mean_of(slope) - normal * mean_of(slope * normal)) * scale;
  return found.to(input.scalar_type());
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor norm_of_maps(const at::Tensor& input, double epsilon) {
  return detail::NormOfMaps::apply(input, epsilon);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
