#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/basic_block.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/local_mean.hpp>
#include <limpid/layers/recompute.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/layers/initialise.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#endif

namespace limpid {

/// Weighs channels by what their means over the map say: mean, 1x1 convolution, ReLU, 1x1
/// convolution, sigmoid. A picture that is restored in tiles has the whole picture's means in each.
///
/// Source: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, sec. 3. Parameters are named as
/// in pretrainedmodels: `fc1.weight`, `fc1.bias`, `fc2.weight`, `fc2.bias`.
class SqueezeExcitationImpl : public torch::nn::Cloneable<SqueezeExcitationImpl> {
 public:
  /// @param squeezed  channels between the two convolutions
  SqueezeExcitationImpl(std::int64_t channels, std::int64_t squeezed);

  void reset() override;

  /// @param map  (N, channels, H, W).
  /// @return     the same shape.
  at::Tensor forward(const at::Tensor& map);

 private:
  std::int64_t channels_, squeezed_;
  LocalMeanPool mean_{nullptr};
  Conv2d fc1_{nullptr}, fc2_{nullptr};
};

TORCH_MODULE(SqueezeExcitation);

/// 1x1, 3x3 in groups and 1x1 convolutions without bias, each with a batch norm; squeeze and
/// excitation; added to the input.
///
/// Source: Xie et al., "Aggregated Residual Transformations for Deep Neural Networks", CVPR 2017,
/// fig. 3c, with Hu et al., CVPR 2018, table 1. Parameters are named as in pretrainedmodels:
/// `conv1.weight`, `bn1.weight`, `se_module.fc1.weight`, `downsample.0.weight` ...
class SEResNeXtBlockImpl : public torch::nn::Cloneable<SEResNeXtBlockImpl> {
 public:
  /// @param out     channels; half as many inside
  /// @param stride  of the 3x3 convolution; where it is not 1, or the channels differ, the input is
  ///                projected.
  SEResNeXtBlockImpl(std::int64_t in, std::int64_t out, std::int64_t groups, std::int64_t stride);

  void reset() override;

  /// @param input  (N, in, H, W).
  /// @return       (N, out, H, W), or the sides over the stride, rounded up.
  at::Tensor forward(const at::Tensor& input);

  /// Random weights that keep the mean square from block to block, also where no statistics
  /// normalise it: what is added to the input is small.
  void initialise();

 private:
  at::Tensor compute(const at::Tensor& input);

  static constexpr std::int64_t kLeastSqueezed = 4;  // of narrow networks; published: 16 and more

  std::int64_t in_, out_, groups_, stride_;
  Conv2d conv1_{nullptr}, conv2_{nullptr}, conv3_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr}, bn2_{nullptr}, bn3_{nullptr};
  SqueezeExcitation se_module_{nullptr};
  Projection downsample_{nullptr};
};

TORCH_MODULE(SEResNeXtBlock);

static_assert(ImageModule<SqueezeExcitation> && ImageModule<SEResNeXtBlock>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE SqueezeExcitationImpl::SqueezeExcitationImpl(std::int64_t channels,
                                                           std::int64_t squeezed)
    : channels_(channels), squeezed_(squeezed) {
  reset();
}

LIMPID_INLINE void SqueezeExcitationImpl::reset() {
  using namespace torch::nn;
  mean_ = register_module("mean", LocalMeanPool(1));
  fc1_ = register_module("fc1", Conv2d(Conv2dOptions(channels_, squeezed_, 1)));
  fc2_ = register_module("fc2", Conv2d(Conv2dOptions(squeezed_, channels_, 1)));
}

LIMPID_INLINE at::Tensor SqueezeExcitationImpl::forward(const at::Tensor& map) {
  return map * fc2_->forward(fc1_->forward(mean_->forward(map)).relu_()).sigmoid();
}

LIMPID_INLINE SEResNeXtBlockImpl::SEResNeXtBlockImpl(std::int64_t in, std::int64_t out,
                                                     std::int64_t groups, std::int64_t stride)
    : in_(in), out_(out), groups_(groups), stride_(stride) {
  reset();
}

LIMPID_INLINE void SEResNeXtBlockImpl::reset() {
  using namespace torch::nn;
  const auto inside = out_ / 2;
  conv1_ = register_module("conv1", Conv2d(Conv2dOptions(in_, inside, 1).bias(false)));
  bn1_ = register_module("bn1", BatchNorm2d(inside));
  conv2_ = register_module(
      "conv2",
      Conv2d(
          Conv2dOptions(inside, inside, 3).stride(stride_).padding(1).groups(groups_).bias(false)));
  bn2_ = register_module("bn2", BatchNorm2d(inside));
  conv3_ = register_module("conv3", Conv2d(Conv2dOptions(inside, out_, 1).bias(false)));
  bn3_ = register_module("bn3", BatchNorm2d(out_));
  const auto squeezed = std::max(kLeastSqueezed, out_ / 16);
  se_module_ = register_module("se_module", SqueezeExcitation(out_, squeezed));
  if (stride_ != 1 || in_ != out_) {
    downsample_ = register_module("downsample", Projection(in_, out_, stride_));
  }
}

LIMPID_INLINE at::Tensor SEResNeXtBlockImpl::forward(const at::Tensor& input) {
  return recomputed(*this, input, [](SEResNeXtBlockImpl& block, const at::Tensor& x) {
    return block.compute(x);
  });
}

LIMPID_INLINE void SEResNeXtBlockImpl::initialise() {
  initialise_weights(*this);
  torch::NoGradGuard no_grad;
  conv3_->weight.mul_(0.6 / kReluGain);  // the excitation is a half at first
}

LIMPID_INLINE at::Tensor SEResNeXtBlockImpl::compute(const at::Tensor& input) {
  auto inside = bn1_->forward(conv1_->forward(input)).relu_();
  inside = bn2_->forward(conv2_->forward(inside)).relu_();
  const auto added = se_module_->forward(bn3_->forward(conv3_->forward(inside)));
  return (added + (downsample_ ? downsample_->forward(input) : input)).relu_();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
