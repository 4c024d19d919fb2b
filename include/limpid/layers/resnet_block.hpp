#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/dropout.hpp>
#include <limpid/layers/instance_norm.hpp>
#include <limpid/layers/recompute.hpp>
#include <limpid/layers/reflection_pad2d.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/field_of_view.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// input + norm(conv(pad(dropout(ReLU(norm(conv(pad(input)))))))): reflection padding, 3x3
/// convolutions, instance norm without affine parameters.
///
/// Source: Kupyn et al., "DeblurGAN", CVPR 2018, and the code published with it, whose parameter
/// names these are. Dropout is always a layer, so that names do not depend on its probability.
class ResNetBlockImpl : public torch::nn::Cloneable<ResNetBlockImpl> {
 public:
  /// @param dropout  probability in [0, 1).
  /// @throws c10::ValueError if `channels` is below 1 or `dropout` out of range.
  explicit ResNetBlockImpl(std::int64_t channels, double dropout = 0.5);

  void reset() override;

  /// @param input  (N, channels, H, W), sides of at least 2.
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t channels_;
  double dropout_;
  torch::nn::Sequential conv_block_{nullptr};
};

TORCH_MODULE(ResNetBlock);

static_assert(ImageModule<ResNetBlock>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ResNetBlockImpl::ResNetBlockImpl(std::int64_t channels, double dropout)
    : channels_(channels), dropout_(dropout) {
  detail::check_at_least("ResNetBlock: channels", channels, 1);
  TORCH_CHECK_VALUE(dropout >= 0 && dropout < 1, "ResNetBlock: dropout must be in [0, 1), got ",
                    dropout);
  reset();
}

LIMPID_INLINE void ResNetBlockImpl::reset() {
  using namespace torch::nn;
  conv_block_ = register_module(
      "conv_block",
      Sequential(limpid::ReflectionPad2d(1), Conv2d(Conv2dOptions(channels_, channels_, 3)),
                 limpid::InstanceNorm(channels_), ReLU(ReLUOptions().inplace(true)),
                 limpid::Dropout(dropout_), limpid::ReflectionPad2d(1),
                 Conv2d(Conv2dOptions(channels_, channels_, 3)), limpid::InstanceNorm(channels_)));
}

LIMPID_INLINE at::Tensor ResNetBlockImpl::forward(const at::Tensor& input) {
  return recomputed(*this, input, [](ResNetBlockImpl& block, const at::Tensor& x) {
    return x + block.conv_block_->forward(x);
  });
}

}  // namespace limpid

#endif  // LIMPID_BODIES
