#pragma once

#include <ATen/core/Tensor.h>

namespace limpid::detail {

/// `values` in float, or in double if that is what they are: half types, as autocast gives them,
/// lose too much in a mean or a square.
inline at::Tensor at_least_float(const at::Tensor& values) {
  const auto type = values.scalar_type();
  return type == at::kFloat || type == at::kDouble ? values : values.to(at::kFloat);
}

}  // namespace limpid::detail
