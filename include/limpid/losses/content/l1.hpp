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

/// Mean absolute difference.
///
/// On images in [-1, 1] it is twice what it would be in [0, 1]. Its best constant answer is the
/// median, so a network may leave rare changes, such as raindrops, as they are.
struct L1 {
  static constexpr std::string_view name = "l1";

  /// @param restored, target  any shape, the same.
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes differ.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<L1>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor L1::operator()(const at::Tensor& restored,
                                        const at::Tensor& target) const {
  detail::check_same_shape("L1", restored, target);
  return (detail::at_least_float(restored) - detail::at_least_float(target)).abs().mean();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
