#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdint>

namespace limpid::detail {

/// Refuses a bool of another value than 0 and 1: undefined behaviour for whoever reads it.
/// @param tensor  contiguous, on the CPU; of any type.
inline void check_bools(const at::Tensor& tensor) {
  if (tensor.scalar_type() != at::kBool) return;
  const auto* bytes = static_cast<const unsigned char*>(tensor.data_ptr());
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    TORCH_CHECK(bytes[i] <= 1, "a bool of value ", static_cast<int>(bytes[i]));
  }
}

}  // namespace limpid::detail
