#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <string>

namespace limpid::detail {

/// Whether no number of a tensor of any type and device is NaN or infinite.
inline bool is_finite(const at::Tensor& tensor) {
  if (!tensor.is_floating_point() && !tensor.is_complex()) return true;
  return at::isfinite(tensor).all().item<bool>();
}

/// Refuses tensors that hold NaN or infinity, by name.
/// @param named   pairs of name and tensor
/// @param source  how the error begins, such as "weights 'PATH'"
template <class Named>
void check_finite(const Named& named, const std::string& source) {
  std::string names;
  std::size_t count = 0;
  for (const auto& [name, tensor] : named) {
    if (is_finite(tensor)) continue;
    if (++count <= 4) names += (count > 1 ? ", " : "") + name;
  }
  TORCH_CHECK(count == 0, source, ": ", count, count == 1 ? " tensor holds" : " tensors hold",
              " values that are not finite (NaN or infinity): ", names,
              count > 4 ? " and " + std::to_string(count - 4) + " more" : "");
}

}  // namespace limpid::detail
