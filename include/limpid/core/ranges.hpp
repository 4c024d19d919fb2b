#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace limpid {

/// The values in which a network takes and gives pictures.
enum class ValueRange {
  signed_range,  ///< [-1, 1], as losses and critics have them
  unit_range,    ///< [0, 1], as published NAFNet, Restormer and what else BasicSR trained
};

/// Unit range [0, 1] (files, metrics) to signed range [-1, 1] (models, critics, losses).
inline at::Tensor to_signed(const at::Tensor& unit) { return unit * 2 - 1; }

/// Signed range [-1, 1] to unit range [0, 1]. Does not clamp.
inline at::Tensor to_unit(const at::Tensor& signed_range) { return (signed_range + 1) * 0.5; }

}  // namespace limpid
