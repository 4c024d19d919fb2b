#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/losses/content/combination.hpp>

#include <ATen/ops/arange.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/replication_pad2d.h>
#include <ATen/ops/tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Charbonnier distance of edges: of what both images lose in a step down and up a Laplacian
/// pyramid.
///
/// Source: Zamir et al., "Multi-Stage Progressive Image Restoration" (MPRNet), CVPR 2021, eq. 3,
/// published code: weight 0.05 beside Charbonnier. The Laplacian of an image is x - blur(z), z = 4
/// blur(x) at even rows and columns and 0 elsewhere; blur is the outer product of (.05 .25 .4 .25
/// .05) with itself, borders replicated (Burt and Adelson 1983).
/// Takes the images as they come, as `Charbonnier` does. A constant offset costs nothing.
struct LaplacianEdge {
  double epsilon = 1e-3;  ///< in the range of the images; equal images give epsilon, not zero

  static constexpr std::string_view name = "edge";

  static void each_option(auto& self, auto&& visit) {
    visit("epsilon", self.epsilon, "below it differences count by their squares");
  }

  /// @throws c10::ValueError if `epsilon` is not positive.
  void check() const;

  /// @param restored, target  (N, C, H, W), the same shape.
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes differ, are no images, or `epsilon` is not positive.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;

 private:
  static at::Tensor laplacian(const at::Tensor& image);

  static at::Tensor blurred(const at::Tensor& planes);
};

static_assert(NamedContentLoss<LaplacianEdge> && HasOptionsByName<LaplacianEdge>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void LaplacianEdge::check() const {
  detail::check_positive("LaplacianEdge: epsilon", epsilon);
}

LIMPID_INLINE at::Tensor LaplacianEdge::operator()(const at::Tensor& restored,
                                                   const at::Tensor& target) const {
  check();
  detail::check_image("LaplacianEdge", restored, restored.dim() == 4 ? restored.size(1) : 3);
  detail::check_same_shape("LaplacianEdge", restored, target);
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  // Linear: the Laplacian of the difference is the difference of both.
  const auto edges = laplacian(detail::at_least_float(restored) - detail::at_least_float(target));
  return (edges.square() + epsilon * epsilon).sqrt().mean();
}

LIMPID_INLINE at::Tensor LaplacianEdge::laplacian(const at::Tensor& image) {
  const auto x = image.reshape({-1, 1, image.size(2), image.size(3)});
  const auto even = [&](std::int64_t side) {
    return at::arange(side, x.options().requires_grad(false)).remainder(2).eq(0);
  };
  const auto kept = even(x.size(2)).unsqueeze(1) & even(x.size(3));
  return x - blurred(4 * blurred(x) * kept);
}

LIMPID_INLINE at::Tensor LaplacianEdge::blurred(const at::Tensor& planes) {
  const auto taps = at::tensor({0.05, 0.25, 0.4, 0.25, 0.05}, planes.options());
  const auto padded = at::replication_pad2d(planes, {2, 2, 2, 2});
  return at::conv2d(at::conv2d(padded, taps.view({1, 1, -1, 1})), taps.view({1, 1, 1, -1}));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
