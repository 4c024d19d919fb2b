#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace limpid {

/// Unit range [0, 1] (files, metrics) to signed range [-1, 1] (models, critics, losses).
inline at::Tensor to_signed(const at::Tensor& unit) { return unit * 2 - 1; }

/// Signed range [-1, 1] to unit range [0, 1]. Does not clamp.
inline at::Tensor to_unit(const at::Tensor& signed_range) { return (signed_range + 1) * 0.5; }

}  // namespace limpid
