#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/ops/conv2d.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/gaussian_taps.hpp>
#include <limpid/core/precision.hpp>
#include <limpid/core/ranges.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#endif

namespace limpid::detail {

/// Means of the two factors of structural similarity over all windows that lie inside, (N, C).
struct SSIMTerms {
  at::Tensor similarity;  ///< luminance, contrast and structure
  at::Tensor contrast;    ///< contrast and structure alone
};

/// @throws c10::ValueError if the shapes differ, are no images, or a side is below `min_side`.
LIMPID_INLINE void check_ssim_images(std::string_view component, const at::Tensor& restored,
                                     const at::Tensor& target, std::int64_t min_side);

/// Weighted means in windows of 11 x 11, or as many as there are, of planes (M, 1, H, W).
LIMPID_INLINE at::Tensor window_means(const at::Tensor& planes);

/// @param x, y  (N, C, H, W), values in [0, 1], float or double.
LIMPID_INLINE SSIMTerms ssim_terms(const at::Tensor& x, const at::Tensor& y);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void check_ssim_images(std::string_view component, const at::Tensor& restored,
                                     const at::Tensor& target, std::int64_t min_side) {
  check_image(component, restored, restored.dim() == 4 ? restored.size(1) : 3, min_side);
  check_same_shape(component, restored, target);
}

LIMPID_INLINE at::Tensor window_means(const at::Tensor& planes) {
  const auto taps = [&](std::int64_t side) {
    const auto length = static_cast<std::size_t>(std::min<std::int64_t>(11, side));
    return at::tensor(gaussian_taps(length, 1.5), planes.options().requires_grad(false));
  };
  const auto down = taps(planes.size(2)).view({1, 1, -1, 1});
  const auto along = taps(planes.size(3)).view({1, 1, 1, -1});
  return at::conv2d(at::conv2d(planes, down), along);
}

LIMPID_INLINE SSIMTerms ssim_terms(const at::Tensor& x, const at::Tensor& y) {
  constexpr double kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;
  // Squares of half types lose what variances are made of: no autocast here.
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const auto planes = at::stack({x, y, x.square() + y.square(), x * y});  // (4, N, C, H, W)
  const auto means = window_means(planes.reshape({-1, 1, x.size(2), x.size(3)}))
                         .reshape({4, x.size(0), x.size(1), -1});
  const auto a = means[0], b = means[1];
  const auto squares = a.square() + b.square(), product = a * b;
  const auto contrast = (2 * (means[3] - product) + kC2) / (means[2] - squares + kC2);
  const auto luminance = (2 * product + kC1) / (squares + kC1);
  return {(luminance * contrast).mean(2), contrast.mean(2)};
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
