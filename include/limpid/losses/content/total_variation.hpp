#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>

#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

namespace detail {

/// Mean absolute difference of vertical neighbours plus that of horizontal ones; a direction of one
/// pixel adds nothing.
LIMPID_INLINE at::Tensor mean_steps(const at::Tensor& image);

}  // namespace detail

/// Total variation of the restored image: how much neighbours differ. It smooths, whatever the
/// target is, and stands beside a loss that knows the target.
///
/// Source: Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms",
/// Physica D 1992; in the anisotropic form, each direction with its own mean.
/// Takes the image as it comes: on [-1, 1] it is twice what it would be in [0, 1].
struct TotalVariation {
  static constexpr std::string_view name = "total-variation";

  /// @param restored, target  (N, C, H, W), the same shape; the target's values do not matter.
  /// @return  scalar; 0 for a constant image.
  /// @throws c10::ValueError if the shapes differ.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<TotalVariation>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor mean_steps(const at::Tensor& image) {
  const auto along = [&](std::int64_t direction) {
    const auto steps = image.diff(1, direction).abs();
    return steps.numel() == 0 ? steps.sum() : steps.mean();
  };
  return along(-2) + along(-1);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor TotalVariation::operator()(const at::Tensor& restored,
                                                    const at::Tensor& target) const {
  detail::check_same_shape("TotalVariation", restored, target);
  return detail::mean_steps(detail::at_least_float(restored));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
