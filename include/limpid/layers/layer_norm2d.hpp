#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <ATen/ops/addcmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Layer norm over the channels of every pixel, with one weight and one bias per channel.
///
/// Source: Ba, Kiros and Hinton, "Layer Normalization", 2016; over channels as in Chen et al.,
/// "Simple Baselines for Image Restoration", ECCV 2022. The variance is the biased one.
/// Half-precision input is normalised in float, and the result is float.
class LayerNorm2dImpl : public torch::nn::Cloneable<LayerNorm2dImpl> {
 public:
  /// @throws c10::ValueError if `channels` is below 1 or `epsilon` is not positive.
  explicit LayerNorm2dImpl(std::int64_t channels, double epsilon = 1e-6);

  void reset() override;

  /// @param input  (N, channels, H, W).
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t channels_;
  double epsilon_;
  at::Tensor weight_;
  at::Tensor bias_;
};

TORCH_MODULE(LayerNorm2d);

static_assert(ChannelNorm<LayerNorm2d>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE LayerNorm2dImpl::LayerNorm2dImpl(std::int64_t channels, double epsilon)
    : channels_(channels), epsilon_(epsilon) {
  detail::check_at_least("LayerNorm2d: channels", channels, 1);
  detail::check_positive("LayerNorm2d: epsilon", epsilon);
  reset();
}

LIMPID_INLINE void LayerNorm2dImpl::reset() {
  weight_ = register_parameter("weight", at::ones({channels_}));
  bias_ = register_parameter("bias", at::zeros({channels_}));
}

LIMPID_INLINE at::Tensor LayerNorm2dImpl::forward(const at::Tensor& input) {
  detail::check_image("LayerNorm2d", input, channels_);
  const auto wide = input.to(c10::promoteTypes(input.scalar_type(), at::kFloat));
  // Plain means along channels: several times faster on the CPU than at::var_mean.
  const auto centred = wide - wide.mean({1}, /*keepdim=*/true);
  const auto scale = (centred.square().mean({1}, /*keepdim=*/true) + epsilon_).rsqrt();
  return at::addcmul(bias_.view({1, -1, 1, 1}), centred * scale, weight_.view({1, -1, 1, 1}));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
