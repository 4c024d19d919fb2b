#pragma once

#include <limpid/core/backbone_shape.hpp>

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

namespace limpid {

/// What any `FPNEncoder` returns for an image (N, 3, H, W), from fine to coarse levels.
struct FPNFeatures {
  /// (N, width, H / 2, W / 2), then four levels, all brought to (N, width, H / 4, W / 4).
  std::array<at::Tensor, kBackboneMaps> maps;

  std::vector<at::Tensor> tensors() const { return {maps.begin(), maps.end()}; }

  /// The map of the coarsest level, for what changes it (`Prompted`).
  at::Tensor& coarsest() { return maps.back(); }
};

}  // namespace limpid
