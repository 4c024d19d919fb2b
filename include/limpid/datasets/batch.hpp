#pragma once

#include <ATen/core/Tensor.h>

namespace limpid {

/// Degraded images and their targets, both (N, 3, H, W) float in [-1, 1]. Of pairs with pictures
/// beside the degraded one, these follow it in the channels: (N, 6, H, W) for one.
struct Batch {
  at::Tensor degraded;
  at::Tensor target;
};

}  // namespace limpid
