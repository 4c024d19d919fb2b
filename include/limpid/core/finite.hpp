#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#endif

namespace limpid {

/// Whether no number of a tensor of any type and device is NaN or infinite.
LIMPID_INLINE bool is_finite(const at::Tensor& tensor);

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

/// @throws c10::Error "WHAT: 12 of 3072 values are NaN or infinite".
LIMPID_INLINE void check_picture_finite(const std::string& what, const at::Tensor& picture);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE bool is_finite(const at::Tensor& tensor) {
  if (!tensor.is_floating_point() && !tensor.is_complex()) return true;
  return at::isfinite(tensor).all().item<bool>();
}

LIMPID_INLINE void check_picture_finite(const std::string& what, const at::Tensor& picture) {
  // One number tells of all, without a mask as large as the picture.
  if (is_finite(picture.sum())) return;
  const auto finite = at::isfinite(picture).sum().item<std::int64_t>();
  if (finite == picture.numel()) return;  // their sum alone is too large
  fail(what, ": ", picture.numel() - finite, " of ", picture.numel(),
       " values are NaN or infinite");
}

}  // namespace limpid

#endif  // LIMPID_BODIES
