#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <ATen/ops/ones.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Divides every pixel by the deviation of its channels and weighs these; takes no mean away and
/// adds nothing, so that twice as bright stays the same and black stays black.
///
/// Source: Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration",
/// CVPR 2022, whose code calls it BiasFree; after Mohan et al., "Robust and Interpretable Blind
/// Image Denoising via Bias-Free Convolutional Neural Networks", ICLR 2020. The deviation is that
/// around the mean, biased. Half-precision input is normalised in float, and the result is float.
class BiasFreeLayerNorm2dImpl : public torch::nn::Cloneable<BiasFreeLayerNorm2dImpl> {
 public:
  /// @throws c10::ValueError if `channels` is below 1 or `epsilon` is not positive.
  explicit BiasFreeLayerNorm2dImpl(std::int64_t channels, double epsilon = 1e-5);

  void reset() override;

  /// @param input  (N, channels, H, W).
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t channels_;
  double epsilon_;
  at::Tensor weight_;
};

TORCH_MODULE(BiasFreeLayerNorm2d);

static_assert(ChannelNorm<BiasFreeLayerNorm2d>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE BiasFreeLayerNorm2dImpl::BiasFreeLayerNorm2dImpl(std::int64_t channels,
                                                               double epsilon)
    : channels_(channels), epsilon_(epsilon) {
  detail::check_at_least("BiasFreeLayerNorm2d: channels", channels, 1);
  detail::check_positive("BiasFreeLayerNorm2d: epsilon", epsilon);
  reset();
}

LIMPID_INLINE void BiasFreeLayerNorm2dImpl::reset() {
  weight_ = register_parameter("weight", at::ones({channels_}));
}

LIMPID_INLINE at::Tensor BiasFreeLayerNorm2dImpl::forward(const at::Tensor& input) {
  detail::check_image("BiasFreeLayerNorm2d", input, channels_);
  const auto wide = input.to(c10::promoteTypes(input.scalar_type(), at::kFloat));
  const auto centred = wide - wide.mean({1}, /*keepdim=*/true);
  const auto scale = (centred.square().mean({1}, /*keepdim=*/true) + epsilon_).rsqrt();
  return wide * scale * weight_.view({1, -1, 1, 1});
}

}  // namespace limpid

#endif  // LIMPID_BODIES
