#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/local_mean.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

/// Two maps become one: for each channel a mean of both, weighed by what the means of their sum
/// over the map say.
///
/// Source: Song et al., "Vision Transformers for Single Image Dehazing", IEEE TIP 2023, sec. III,
/// after Li et al., "Selective Kernel Networks", CVPR 2019. Parameters have the published names:
/// `mlp.1.weight`, `mlp.3.weight`.
class SKFusionImpl : public torch::nn::Cloneable<SKFusionImpl> {
 public:
  /// @throws c10::ValueError if `channels` is below 1.
  explicit SKFusionImpl(std::int64_t channels);

  void reset() override;

  /// @param one, other  (N, channels, H, W), of one shape.
  /// @return            the same shape.
  at::Tensor forward(const at::Tensor& one, const at::Tensor& other);

 private:
  std::int64_t channels_;
  torch::nn::Sequential mlp_{nullptr};
};

TORCH_MODULE(SKFusion);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE SKFusionImpl::SKFusionImpl(std::int64_t channels) : channels_(channels) {
  detail::check_at_least("SKFusion: channels", channels, 1);
  reset();
}

LIMPID_INLINE void SKFusionImpl::reset() {
  using namespace torch::nn;
  const auto hidden = std::max<std::int64_t>(channels_ / 8, 4);
  mlp_ = register_module(
      "mlp", Sequential(LocalMeanPool(1), Conv2d(Conv2dOptions(channels_, hidden, 1).bias(false)),
                        ReLU(), Conv2d(Conv2dOptions(hidden, 2 * channels_, 1).bias(false))));
}

LIMPID_INLINE at::Tensor SKFusionImpl::forward(const at::Tensor& one, const at::Tensor& other) {
  detail::check_image("SKFusion", one, channels_);
  TORCH_CHECK_VALUE(one.sizes() == other.sizes(), "SKFusion: expected maps of one shape, got ",
                    one.sizes(), " and ", other.sizes());
  const auto weights = mlp_->forward(one + other).view({-1, 2, channels_, 1, 1}).softmax(1);
  return one * weights.select(1, 0) + other * weights.select(1, 1);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
