#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/total_variation.hpp>

#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// L1 between the images' gradients: the mean absolute difference of vertical steps from one pixel
/// to the next, plus that of horizontal ones.
///
/// Source: Mathieu, Couprie and LeCun, "Deep multi-scale video prediction beyond mean square
/// error", ICLR 2016.
/// Differs: steps are compared with their signs, not by their sizes alone. A constant offset costs
/// nothing: it stands beside a loss that sees one.
/// Takes the images as they come: on [-1, 1] it is twice what it would be in [0, 1].
struct GradientLoss {
  static constexpr std::string_view name = "gradient";

  /// @param restored, target  (N, C, H, W), the same shape.
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes differ.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<GradientLoss>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor GradientLoss::operator()(const at::Tensor& restored,
                                                  const at::Tensor& target) const {
  detail::check_same_shape("GradientLoss", restored, target);
  return detail::mean_steps(detail::at_least_float(restored) - detail::at_least_float(target));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
