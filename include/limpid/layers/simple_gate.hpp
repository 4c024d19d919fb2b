#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Product of the two halves of the channels: (N, 2 C, H, W) -> (N, C, H, W).
///
/// Source: Chen et al., "Simple Baselines for Image Restoration", ECCV 2022, sec. 4.2.
/// @throws c10::ValueError if the channels cannot be halved.
LIMPID_INLINE at::Tensor simple_gate(const at::Tensor& input);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor simple_gate(const at::Tensor& input) {
  TORCH_CHECK_VALUE(input.dim() == 4 && input.size(1) % 2 == 0,
                    "simple_gate: expected (N, 2 C, H, W), got ", input.sizes());
  const auto half = input.size(1) / 2;
  return input.narrow(1, 0, half) * input.narrow(1, half, half);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
