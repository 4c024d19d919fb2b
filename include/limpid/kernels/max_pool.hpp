#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>

#ifdef LIMPID_BODIES
#include <ATen/Parallel.h>
#include <ATen/TracerMode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>
#endif

namespace limpid {

/// The largest of each 2 x 2 numbers: `at::max_pool2d(input, 2, 2)` to the bit, and so are its
/// gradients. On the CPU it keeps no places for its backward, eight bytes a number in LibTorch, and
/// looks for them again.
///
/// @param input  (N, C, H, W), sides of at least 2.
/// @return       (N, C, H / 2, W / 2), rounded down.
LIMPID_INLINE at::Tensor max_pool2x2(const at::Tensor& input);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

/// Calls visit(upper line, lower line, the first number of the line of results) for all of
/// (planes, height / 2) lines.
template <class Visit>
void for_line_pairs(const at::Tensor& input, const Visit& visit) {
  const auto planes = input.size(0) * input.size(1), height = input.size(2), width = input.size(3);
  const auto lines = height / 2, columns = width / 2;
  const auto grain = std::max<std::int64_t>(1, 16384 / width);
  at::parallel_for(0, planes * lines, grain, [&](std::int64_t begin, std::int64_t end) {
    for (auto line = begin; line < end; ++line) {
      visit((line / lines * height + line % lines * 2) * width, line * columns);
    }
  });
}

/// Whether LibTorch's takes the later of two numbers: the larger one, and what is not a number.
inline bool is_taken(float later, float before) { return later > before || later != later; }

template <class Number>
at::Tensor largest_of_four(const at::Tensor& input) {
  const auto width = input.size(3), columns = width / 2;
  auto output =
      at::empty({input.size(0), input.size(1), input.size(2) / 2, columns}, input.options());
  const auto* from = input.data_ptr<Number>();
  auto* to = output.template data_ptr<Number>();
  for_line_pairs(input, [&](std::int64_t source, std::int64_t target) {
    const auto *upper = from + source, *lower = upper + width;
    auto* result = to + target;
    for (std::int64_t x = 0; x < columns; ++x) {
      auto most = static_cast<float>(upper[2 * x]);
      for (const auto number : {upper[2 * x + 1], lower[2 * x], lower[2 * x + 1]}) {
        const auto later = static_cast<float>(number);
        most = is_taken(later, most) ? later : most;
      }
      result[x] = static_cast<Number>(most);
    }
  });
  return output;
}

template <class Number>
at::Tensor to_largest_of_four(const at::Tensor& gradient, const at::Tensor& input) {
  const auto width = input.size(3), columns = width / 2;
  const bool is_covered = input.size(2) % 2 == 0 && width % 2 == 0;
  auto output = is_covered ? at::empty(input.sizes(), input.options())
                           : at::zeros(input.sizes(), input.options());
  const auto *slopes = gradient.data_ptr<Number>(), *from = input.data_ptr<Number>();
  auto* to = output.template data_ptr<Number>();
  for_line_pairs(input, [&](std::int64_t source, std::int64_t target) {
    const auto *upper = from + source, *lower = upper + width, *slope = slopes + target;
    auto *above = to + source, *below = above + width;
    // Places as numbers, so that neither loop branches.
    std::vector<float> places(static_cast<std::size_t>(columns));
    auto* place = places.data();
    for (std::int64_t x = 0; x < columns; ++x) {
      auto most = static_cast<float>(upper[2 * x]), at = 0.0F;
      const auto look = [&](Number number, float here) {
        const auto later = static_cast<float>(number);
        const bool taken = is_taken(later, most);
        at = taken ? here : at;
        most = taken ? later : most;
      };
      look(upper[2 * x + 1], 1);
      look(lower[2 * x], 2);
      look(lower[2 * x + 1], 3);
      place[x] = at;
    }
    for (std::int64_t x = 0; x < columns; ++x) {
      const auto value = static_cast<float>(slope[x]);
      const auto here = [&](float number) {
        return static_cast<Number>(place[x] == number ? value : 0.0F);
      };
      above[2 * x] = here(0);
      above[2 * x + 1] = here(1);
      below[2 * x] = here(2);
      below[2 * x + 1] = here(3);
    }
  });
  return output;
}

class MaxPool2x2 : public torch::autograd::Function<MaxPool2x2> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input) {
    context->save_for_backward({input});
    return input.scalar_type() == at::kBFloat16 ? largest_of_four<at::BFloat16>(input)
                                                : largest_of_four<float>(input);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto input = context->get_saved_variables()[0];
    const auto& gradient = gradients[0];
    if (at::GradMode::is_enabled()) {
      const auto places = std::get<1>(at::max_pool2d_with_indices(input, 2, 2));
      return {at::max_pool2d_with_indices_backward(gradient, input, 2, 2, 0, 1, false, places)};
    }
    const auto slopes = gradient.contiguous();
    return {input.scalar_type() == at::kBFloat16 ? to_largest_of_four<at::BFloat16>(slopes, input)
                                                 : to_largest_of_four<float>(slopes, input)};
  }
};

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor max_pool2x2(const at::Tensor& input) {
  const auto type = input.scalar_type();
  const bool own = input.is_cpu() && (type == at::kFloat || type == at::kBFloat16) &&
                   input.dim() == 4 && input.is_contiguous() && input.numel() > 0 &&
                   input.size(2) > 1 && input.size(3) > 1 && !input._is_zerotensor() &&
                   !at::tracer::impl::is_dispatch_enabled();
  return own ? detail::MaxPool2x2::apply(input) : at::max_pool2d(input, 2, 2);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
