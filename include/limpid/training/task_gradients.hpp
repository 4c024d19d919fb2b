#pragma once

#include <limpid/optim/named_parameters.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid::detail {

/// The tasks' gradients of the shared encoder, apart: a tensor (T, P), one row for each task. A
/// backward puts its gradients there itself, since the parameters' gradients are parts of a row;
/// there is no second copy.
class TaskGradients {
 public:
  /// Clears the rows for a new step. A parameter that wants no gradient keeps its place, and zeros.
  /// @param parameters  of the whole model; the encoder's are called `encoder.NAME`
  void begin(const NamedParameters& parameters, std::int64_t tasks) {
    encoder_.clear();
    std::int64_t size = 0;
    for (const auto& [name, parameter] : parameters) {
      if (!name.starts_with("encoder.")) continue;
      encoder_.push_back(parameter);
      size += parameter.numel();
    }
    TORCH_CHECK(!encoder_.empty(), "weighting: the tasks share no parameters");
    if (rows_.defined() && rows_.size(0) == tasks && rows_.size(1) == size &&
        rows_.device() == encoder_.front().device()) {
      rows_.zero_();
    } else {
      rows_ = at::zeros({tasks, size}, encoder_.front().options().requires_grad(false));
    }
  }

  /// The encoder's parameters, as its gradients stand in a row: names and numbers.
  static std::vector<std::pair<std::string, std::int64_t>> layout(
      const NamedParameters& parameters) {
    constexpr std::string_view kEncoder = "encoder.";
    std::vector<std::pair<std::string, std::int64_t>> layout;
    for (const auto& [name, parameter] : parameters) {
      if (!name.starts_with(kEncoder)) continue;
      layout.emplace_back(name.substr(kEncoder.size()), parameter.numel());
    }
    return layout;
  }

  /// Makes the sum of the rows the encoder's gradient, as backwards that add up do.
  void use_sum() {
    auto sum = rows_.select(0, 0);
    for (std::int64_t t = 1; t < rows_.size(0); ++t) sum.add_(rows_.select(0, t));
    use(sum);
  }

  /// The encoder's gradients of the next backward land in the row of `task`.
  void land_in(std::size_t task) { use(rows_.select(0, static_cast<std::int64_t>(task))); }

  /// Makes `row`, (P), the encoder's gradient.
  void use(const at::Tensor& row) const {
    std::int64_t at = 0;
    for (const auto& parameter : encoder_) {
      const auto size = parameter.numel();
      parameter.mutable_grad() = parameter.requires_grad()
                                     ? row.narrow(0, at, size).view(parameter.sizes())
                                     : at::Tensor{};
      at += size;
    }
  }

  at::Tensor& rows() { return rows_; }

 private:
  std::vector<at::Tensor> encoder_;
  at::Tensor rows_;
};

}  // namespace limpid::detail
