#pragma once

#include <torch/torch.h>

#include <functional>

namespace limpid_test {

/// Largest difference between the gradient of scalar `f` at `point` (double) and central
/// differences, relative to the largest gradient. At most `checked` values are probed, evenly.
inline double gradient_error(const std::function<at::Tensor(const at::Tensor&)>& f,
                             const at::Tensor& point, double step = 1e-6,
                             std::int64_t checked = 24) {
  auto x = point.detach().to(torch::kDouble).clone().requires_grad_();
  const auto gradient = torch::autograd::grad({f(x)}, {x})[0].reshape(-1);
  auto probe = x.detach().clone();
  auto flat = probe.reshape(-1);
  const auto stride = std::max<std::int64_t>(1, flat.numel() / checked);
  double worst = 0;
  for (std::int64_t i = 0; i < flat.numel(); i += stride) {
    const auto value = flat[i].item<double>();
    flat[i] = value + step;
    const auto above = f(probe).item<double>();
    flat[i] = value - step;
    const auto below = f(probe).item<double>();
    flat[i] = value;
    worst = std::max(worst, std::abs((above - below) / (2 * step) - gradient[i].item<double>()));
  }
  const auto scale = gradient.abs().max().item<double>();
  return worst / (scale > 0 ? scale : 1.0);
}

}  // namespace limpid_test
