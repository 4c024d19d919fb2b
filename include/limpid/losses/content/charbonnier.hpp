#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/losses/content/combination.hpp>

#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// A smooth L1: mean of sqrt(difference^2 + epsilon^2).
///
/// Source: Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for
/// computed imaging", ICIP 1994; in this form Zamir et al., "Multi-Stage Progressive Image
/// Restoration" (MPRNet), CVPR 2021, eq. 2.
/// Takes the images as they come. On images in [-1, 1], `2 * epsilon` gives exactly twice the loss
/// that `epsilon` gives in [0, 1].
struct Charbonnier {
  double epsilon = 1e-3;  ///< in the range of the images; equal images give epsilon, not zero

  static constexpr std::string_view name = "charbonnier";

  static void each_option(auto& self, auto&& visit) {
    visit("epsilon", self.epsilon, "below it differences count by their squares");
  }

  /// @throws c10::ValueError if `epsilon` is not positive.
  void check() const;

  /// @param restored, target  any shape, the same.
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes differ or `epsilon` is not positive.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<Charbonnier> && HasOptionsByName<Charbonnier>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Charbonnier::check() const {
  detail::check_positive("Charbonnier: epsilon", epsilon);
}

LIMPID_INLINE at::Tensor Charbonnier::operator()(const at::Tensor& restored,
                                                 const at::Tensor& target) const {
  check();
  detail::check_same_shape("Charbonnier", restored, target);
  const auto difference = detail::at_least_float(restored) - detail::at_least_float(target);
  return (difference.square() + epsilon * epsilon).sqrt().mean();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
