#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/recompute.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/layers/initialise.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// How a residual block brings its input to the shape of what is added to it: a 1x1 convolution
/// without bias and a batch norm. Parameters are named "0" and "1", as torchvision has it.
class ProjectionImpl : public torch::nn::Cloneable<ProjectionImpl> {
 public:
  ProjectionImpl(std::int64_t in, std::int64_t out, std::int64_t stride);

  void reset() override;

  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t in_, out_, stride_;
  Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
};

TORCH_MODULE(Projection);

/// ReLU(input + norm(conv(ReLU(norm(conv(input)))))), 3x3 convolutions without bias, batch norms.
///
/// Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, fig. 5 left.
/// Parameters are named as in torchvision: `conv1.weight`, `bn1.weight`, `downsample.0.weight` ...
class BasicBlockImpl : public torch::nn::Cloneable<BasicBlockImpl> {
 public:
  /// @param stride  of the first convolution; where it is not 1, or the channels differ, the input
  ///                is projected.
  BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride);

  void reset() override;

  /// @param input  (N, in, H, W).
  /// @return       (N, out, H, W), or the sides over the stride, rounded up.
  at::Tensor forward(const at::Tensor& input);

  /// Random weights that keep the mean square from block to block, also where no statistics
  /// normalise it: what is added to the input is small.
  void initialise();

 private:
  std::int64_t in_, out_, stride_;
  Conv2d conv1_{nullptr}, conv2_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr}, bn2_{nullptr};
  Projection downsample_{nullptr};
};

TORCH_MODULE(BasicBlock);

static_assert(ImageModule<Projection> && ImageModule<BasicBlock>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ProjectionImpl::ProjectionImpl(std::int64_t in, std::int64_t out, std::int64_t stride)
    : in_(in), out_(out), stride_(stride) {
  reset();
}

LIMPID_INLINE void ProjectionImpl::reset() {
  using namespace torch::nn;
  conv_ = register_module("0", Conv2d(Conv2dOptions(in_, out_, 1).stride(stride_).bias(false)));
  norm_ = register_module("1", BatchNorm2d(out_));
}

LIMPID_INLINE at::Tensor ProjectionImpl::forward(const at::Tensor& input) {
  return norm_->forward(conv_->forward(input));
}

LIMPID_INLINE BasicBlockImpl::BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride)
    : in_(in), out_(out), stride_(stride) {
  reset();
}

LIMPID_INLINE void BasicBlockImpl::reset() {
  using namespace torch::nn;
  const auto conv = [](std::int64_t in, std::int64_t out, std::int64_t stride) {
    return Conv2d(Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false));
  };
  conv1_ = register_module("conv1", conv(in_, out_, stride_));
  bn1_ = register_module("bn1", BatchNorm2d(out_));
  conv2_ = register_module("conv2", conv(out_, out_, 1));
  bn2_ = register_module("bn2", BatchNorm2d(out_));
  if (stride_ != 1 || in_ != out_) {
    downsample_ = register_module("downsample", Projection(in_, out_, stride_));
  }
}

LIMPID_INLINE at::Tensor BasicBlockImpl::forward(const at::Tensor& input) {
  return recomputed(*this, input, [](BasicBlockImpl& block, const at::Tensor& x) {
    const auto inside = block.bn1_->forward(block.conv1_->forward(x)).relu_();
    const auto added = block.bn2_->forward(block.conv2_->forward(inside));
    return (added + (block.downsample_ ? block.downsample_->forward(x) : x)).relu_();
  });
}

LIMPID_INLINE void BasicBlockImpl::initialise() {
  initialise_weights(*this);
  torch::NoGradGuard no_grad;
  conv2_->weight.mul_(0.3 / kReluGain);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
