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

#include <cmath>
#endif

namespace limpid {

/// ReLU6(batch norm(conv)): convolution without bias that keeps the sides, or halves them.
/// Parameters are named "0" (convolution) and "1" (norm), as torchvision has it.
class ConvNormReLU6Impl : public torch::nn::Cloneable<ConvNormReLU6Impl> {
 public:
  ConvNormReLU6Impl(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride = 1,
                    std::int64_t groups = 1);

  void reset() override;

  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t in_, out_, kernel_, stride_, groups_;
  Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
};

TORCH_MODULE(ConvNormReLU6);

/// MobileNetV2's block: 1x1 convolution to more channels, depthwise 3x3, 1x1 to few channels
/// without activation; added to its input where the shapes agree.
///
/// Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
/// sec. 3.3. Parameters are named as in torchvision: `conv.0.0.weight` ...
class InvertedResidualImpl : public torch::nn::Cloneable<InvertedResidualImpl> {
 public:
  /// @param expansion  channels inside, per input channel; 1 leaves the first convolution out.
  InvertedResidualImpl(std::int64_t in, std::int64_t out, std::int64_t stride,
                       std::int64_t expansion);

  void reset() override;

  /// @param input  (N, in, H, W).
  /// @return       (N, out, H, W), or half the sides, rounded up.
  at::Tensor forward(const at::Tensor& input);

  /// Random weights that keep the mean square from block to block, also where no statistics
  /// normalise it: what is added to the input is small.
  void initialise();

 private:
  at::Tensor compute(const at::Tensor& input);

  bool adds_input() const { return stride_ == 1 && in_ == out_; }

  Conv2dImpl& projection() { return conv_->at<Conv2dImpl>(conv_->size() - 2); }

  std::int64_t in_, out_, stride_, expansion_;
  torch::nn::ModuleList conv_{nullptr};
};

TORCH_MODULE(InvertedResidual);

static_assert(ImageModule<ConvNormReLU6> && ImageModule<InvertedResidual>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ConvNormReLU6Impl::ConvNormReLU6Impl(std::int64_t in, std::int64_t out,
                                                   std::int64_t kernel, std::int64_t stride,
                                                   std::int64_t groups)
    : in_(in), out_(out), kernel_(kernel), stride_(stride), groups_(groups) {
  reset();
}

LIMPID_INLINE void ConvNormReLU6Impl::reset() {
  using namespace torch::nn;
  conv_ = register_module("0", Conv2d(Conv2dOptions(in_, out_, kernel_)
                                          .stride(stride_)
                                          .padding(kernel_ / 2)
                                          .groups(groups_)
                                          .bias(false)));
  norm_ = register_module("1", BatchNorm2d(out_));
}

LIMPID_INLINE at::Tensor ConvNormReLU6Impl::forward(const at::Tensor& input) {
  return norm_->forward(conv_->forward(input)).clamp_(0, 6);
}

LIMPID_INLINE InvertedResidualImpl::InvertedResidualImpl(std::int64_t in, std::int64_t out,
                                                         std::int64_t stride,
                                                         std::int64_t expansion)
    : in_(in), out_(out), stride_(stride), expansion_(expansion) {
  reset();
}

LIMPID_INLINE void InvertedResidualImpl::reset() {
  using namespace torch::nn;
  const auto inside = in_ * expansion_;
  conv_ = register_module("conv", ModuleList());
  if (expansion_ != 1) conv_->push_back(ConvNormReLU6(in_, inside, 1));
  conv_->push_back(ConvNormReLU6(inside, inside, 3, stride_, inside));
  conv_->push_back(Conv2d(Conv2dOptions(inside, out_, 1).bias(false)));
  conv_->push_back(BatchNorm2d(out_));
}

LIMPID_INLINE at::Tensor InvertedResidualImpl::forward(const at::Tensor& input) {
  return recomputed(*this, input, [](InvertedResidualImpl& block, const at::Tensor& x) {
    return block.compute(x);
  });
}

LIMPID_INLINE void InvertedResidualImpl::initialise() {
  initialise_weights(*this);
  torch::NoGradGuard no_grad;
  projection().weight.mul_((adds_input() ? 0.3 : kLinearGain) / kReluGain);
}

LIMPID_INLINE at::Tensor InvertedResidualImpl::compute(const at::Tensor& input) {
  const auto activated = conv_->size() - 2;
  auto map = input;
  for (std::size_t i = 0; i < activated; ++i) map = conv_->at<ConvNormReLU6Impl>(i).forward(map);
  map = projection().forward(map);
  map = conv_->at<torch::nn::BatchNorm2dImpl>(activated + 1).forward(map);
  return adds_input() ? input + map : map;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
