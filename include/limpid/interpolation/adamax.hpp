#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

struct AdamaxOptions {
  double beta1 = 0.9;    ///< of the mean gradient
  double beta2 = 0.999;  ///< of the largest gradient
  double epsilon = 1e-8;
};

/// Adam with the largest recent gradient in place of the root mean square: the optimiser of the
/// separable convolution's authors, which LibTorch's C++ side lacks.
///
/// Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 2.
class Adamax {
 public:
  using Parameters = std::vector<std::pair<std::string, at::Tensor>>;

  explicit Adamax(Parameters parameters, AdamaxOptions options = {})
      : parameters_(std::move(parameters)), options_(options) {
    for (const auto& [name, parameter] : parameters_) {
      means_.push_back(at::zeros_like(parameter.detach()));
      largest_.push_back(at::zeros_like(parameter.detach()));
    }
  }

  /// Moves every parameter that has a gradient by about `rate`.
  void step(double rate) {
    const c10::NoGradGuard no_grad;
    ++steps_;
    const auto corrected = rate / (1 - std::pow(options_.beta1, static_cast<double>(steps_)));
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      auto& parameter = parameters_[i].second;
      const auto& gradient = parameter.grad();
      if (!gradient.defined()) continue;
      means_[i].mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
      largest_[i].copy_(
          at::maximum(largest_[i] * options_.beta2, gradient.abs().add_(options_.epsilon)));
      parameter.addcdiv_(means_[i], largest_[i], -corrected);
    }
  }

  void forget_gradients() {
    for (auto& [name, parameter] : parameters_) parameter.mutable_grad() = at::Tensor{};
  }

  std::int64_t steps() const { return steps_; }

  /// All that goes on with: tensors "adamax.NAME.mean", "adamax.NAME.largest" and "adamax.steps".
  std::map<std::string, at::Tensor> state() const {
    std::map<std::string, at::Tensor> tensors;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      tensors["adamax." + parameters_[i].first + ".mean"] = means_[i];
      tensors["adamax." + parameters_[i].first + ".largest"] = largest_[i];
    }
    tensors["adamax.steps"] = at::full({}, steps_, at::kLong);
    return tensors;
  }

  /// Takes what `state` gave; errors begin with `source`.
  void load_state(const std::map<std::string, at::Tensor>& tensors, const std::string& source) {
    const c10::NoGradGuard no_grad;
    const auto needed = [&](const std::string& name, at::IntArrayRef shape) -> const at::Tensor& {
      const auto found = tensors.find(name);
      TORCH_CHECK(found != tensors.end(), source, ": expected a tensor '", name, "', found none");
      TORCH_CHECK(found->second.sizes() == shape, source, ": expected '", name, "' ", shape,
                  ", found ", found->second.sizes());
      return found->second;
    };
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const auto prefix = "adamax." + parameters_[i].first;
      means_[i].copy_(needed(prefix + ".mean", means_[i].sizes()));
      largest_[i].copy_(needed(prefix + ".largest", largest_[i].sizes()));
    }
    steps_ = needed("adamax.steps", {}).item<std::int64_t>();
  }

 private:
  Parameters parameters_;
  AdamaxOptions options_;
  std::vector<at::Tensor> means_, largest_;
  std::int64_t steps_ = 0;
};

}  // namespace limpid
