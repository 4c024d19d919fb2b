#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <cstdint>

namespace limpid {

/// Every pixel of (N, C, H, W) repeated to `factor` x `factor` pixels; the map itself for 1.
/// A trace of it serves any size.
inline at::Tensor upsample_nearest(const at::Tensor& map, std::int64_t factor) {
  if (factor == 1) return map;
  const double scales[] = {static_cast<double>(factor), static_cast<double>(factor)};
  return at::upsample_nearest2d(map, {}, at::ArrayRef<double>(scales));
}

}  // namespace limpid
