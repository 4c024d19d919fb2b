#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace limpid {

/// What a layer of a `DenseBlock` adds: a 1x1 convolution to four times as many channels and a 3x3
/// convolution, each behind a batch norm and ReLU, without bias. Parameters are named as in
/// torchvision: `norm1.weight`, `conv1.weight`, `norm2.weight`, `conv2.weight`.
class DenseLayerImpl : public torch::nn::Cloneable<DenseLayerImpl> {
 public:
  DenseLayerImpl(std::int64_t in, std::int64_t growth);

  void reset() override;

  /// @param input  (N, in, H, W).
  /// @return       (N, growth, H, W).
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t in_, growth_;
  torch::nn::BatchNorm2d norm1_{nullptr}, norm2_{nullptr};
  Conv2d conv1_{nullptr}, conv2_{nullptr};
};

TORCH_MODULE(DenseLayer);

/// Layers that each see the input and all that the layers before them made of it, concatenated.
///
/// Source: Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, sec. 3
/// (DenseNet-B). Layers are named as in torchvision: `denselayer1`, `denselayer2` ...
class DenseBlockImpl : public torch::nn::Cloneable<DenseBlockImpl> {
 public:
  /// @param growth  channels that each layer adds
  DenseBlockImpl(std::int64_t in, std::int64_t growth, std::int64_t layers);

  void reset() override;

  std::int64_t out() const { return in_ + layers_ * growth_; }

  /// @param input  (N, in, H, W).
  /// @return       (N, out(), H, W): the input first.
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t in_, growth_, layers_;
};

TORCH_MODULE(DenseBlock);

/// Between two `DenseBlock`s: batch norm, ReLU, a 1x1 convolution to half the channels, and means
/// of 2 x 2 pixels.
///
/// Source: Huang et al., CVPR 2017, sec. 3 (DenseNet-C). Named as in torchvision: `norm`, `conv`.
class DenseTransitionImpl : public torch::nn::Cloneable<DenseTransitionImpl> {
 public:
  DenseTransitionImpl(std::int64_t in, std::int64_t out);

  void reset() override;

  /// @param input  (N, in, H, W).
  /// @return       (N, out, H / 2, W / 2).
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t in_, out_;
  torch::nn::BatchNorm2d norm_{nullptr};
  Conv2d conv_{nullptr};
};

TORCH_MODULE(DenseTransition);

static_assert(ImageModule<DenseLayer> && ImageModule<DenseBlock> && ImageModule<DenseTransition>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE DenseLayerImpl::DenseLayerImpl(std::int64_t in, std::int64_t growth)
    : in_(in), growth_(growth) {
  reset();
}

LIMPID_INLINE void DenseLayerImpl::reset() {
  using namespace torch::nn;
  const auto inside = 4 * growth_;
  norm1_ = register_module("norm1", BatchNorm2d(in_));
  conv1_ = register_module("conv1", Conv2d(Conv2dOptions(in_, inside, 1).bias(false)));
  norm2_ = register_module("norm2", BatchNorm2d(inside));
  conv2_ =
      register_module("conv2", Conv2d(Conv2dOptions(inside, growth_, 3).padding(1).bias(false)));
}

LIMPID_INLINE at::Tensor DenseLayerImpl::forward(const at::Tensor& input) {
  const auto inside = conv1_->forward(norm1_->forward(input).relu_());
  return conv2_->forward(norm2_->forward(inside).relu_());
}

LIMPID_INLINE DenseBlockImpl::DenseBlockImpl(std::int64_t in, std::int64_t growth,
                                             std::int64_t layers)
    : in_(in), growth_(growth), layers_(layers) {
  reset();
}

LIMPID_INLINE void DenseBlockImpl::reset() {
  for (std::int64_t i = 0; i < layers_; ++i) {
    register_module("denselayer" + std::to_string(i + 1), DenseLayer(in_ + i * growth_, growth_));
  }
}

LIMPID_INLINE at::Tensor DenseBlockImpl::forward(const at::Tensor& input) {
  auto all = input;
  for (const auto& layer : children()) {
    all = at::cat({all, layer->as<DenseLayerImpl>()->forward(all)}, 1);
  }
  return all;
}

LIMPID_INLINE DenseTransitionImpl::DenseTransitionImpl(std::int64_t in, std::int64_t out)
    : in_(in), out_(out) {
  reset();
}

LIMPID_INLINE void DenseTransitionImpl::reset() {
  using namespace torch::nn;
  norm_ = register_module("norm", BatchNorm2d(in_));
  conv_ = register_module("conv", Conv2d(Conv2dOptions(in_, out_, 1).bias(false)));
}

LIMPID_INLINE at::Tensor DenseTransitionImpl::forward(const at::Tensor& input) {
  return at::avg_pool2d(conv_->forward(norm_->forward(input).relu_()), 2, 2);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
