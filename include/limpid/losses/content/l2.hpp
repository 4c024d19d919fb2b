#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>

#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Mean squared difference. On images in [-1, 1] it is four times what it would be in [0, 1].
struct L2 {
  static constexpr std::string_view name = "l2";

  /// @param restored, target  any shape, the same.
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes differ.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<L2>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor L2::operator()(const at::Tensor& restored,
                                        const at::Tensor& target) const {
  detail::check_same_shape("L2", restored, target);
  return (detail::at_least_float(restored) - detail::at_least_float(target)).square().mean();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
