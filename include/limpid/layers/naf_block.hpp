#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/layer_norm2d.hpp>
#include <limpid/layers/local_mean.hpp>
#include <limpid/layers/recompute.hpp>

#include <ATen/ops/zeros.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/layers/simple_gate.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// NAFNet's block: a gated depthwise convolution with channel attention, then a gated pointwise
/// one, each added to its input through a learned scale that starts at zero.
///
/// Source: Chen et al., "Simple Baselines for Image Restoration", ECCV 2022, fig. 3 and sec. 4.
/// Parameters have the published names.
class NAFBlockImpl : public torch::nn::Cloneable<NAFBlockImpl> {
 public:
  /// @param channels    of input and output.
  /// @param stride      image pixels per pixel of the map, for `LocalMeanPool`.
  /// @param train_size  of `LocalMeanPool`; 0 takes means of the whole map.
  /// @throws c10::ValueError if `channels` or `stride` is below 1 or `train_size` is negative.
  explicit NAFBlockImpl(std::int64_t channels, std::int64_t stride = 1,
                        std::int64_t train_size = 0);

  void reset() override;

  /// @param input  (N, channels, H, W).
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  at::Tensor compute(const at::Tensor& input);

  std::int64_t channels_;
  std::int64_t stride_;
  std::int64_t train_size_;
  LayerNorm2d norm1_{nullptr}, norm2_{nullptr};
  Conv2d conv1_{nullptr}, conv2_{nullptr}, conv3_{nullptr};
  Conv2d conv4_{nullptr}, conv5_{nullptr};
  torch::nn::Sequential sca_{nullptr};
  at::Tensor beta_, gamma_;
};

TORCH_MODULE(NAFBlock);

static_assert(ImageModule<NAFBlock>);

namespace detail {

/// `count` NAFBlocks one after the other, named "0", "1" ...
LIMPID_INLINE torch::nn::Sequential naf_blocks(std::int64_t count, std::int64_t channels,
                                               std::int64_t stride, std::int64_t train_size);

/// How far `count` NAFBlocks look behind a map that looks as far as `view`.
LIMPID_INLINE FieldOfView view_of_naf_blocks(FieldOfView view, std::int64_t count,
                                             std::int64_t train_size);

/// Tells every `LocalMeanPool` inside `module` the side of a training patch.
LIMPID_INLINE void set_local_train_size(torch::nn::Module& module, std::int64_t train_size);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE NAFBlockImpl::NAFBlockImpl(std::int64_t channels, std::int64_t stride,
                                         std::int64_t train_size)
    : channels_(channels), stride_(stride), train_size_(train_size) {
  detail::check_at_least("NAFBlock: channels", channels, 1);
  reset();
}

LIMPID_INLINE void NAFBlockImpl::reset() {
  using torch::nn::Conv2dOptions;
  const auto c = channels_;
  norm1_ = register_module("norm1", LayerNorm2d(c));
  conv1_ = register_module("conv1", Conv2d(Conv2dOptions(c, 2 * c, 1)));
  conv2_ =
      register_module("conv2", Conv2d(Conv2dOptions(2 * c, 2 * c, 3).padding(1).groups(2 * c)));
  sca_ = register_module("sca", torch::nn::Sequential(LocalMeanPool(stride_, train_size_),
                                                      Conv2d(Conv2dOptions(c, c, 1))));
  conv3_ = register_module("conv3", Conv2d(Conv2dOptions(c, c, 1)));
  norm2_ = register_module("norm2", LayerNorm2d(c));
  conv4_ = register_module("conv4", Conv2d(Conv2dOptions(c, 2 * c, 1)));
  conv5_ = register_module("conv5", Conv2d(Conv2dOptions(c, c, 1)));
  beta_ = register_parameter("beta", at::zeros({1, c, 1, 1}));
  gamma_ = register_parameter("gamma", at::zeros({1, c, 1, 1}));
}

LIMPID_INLINE at::Tensor NAFBlockImpl::forward(const at::Tensor& input) {
  return recomputed(*this, input,
                    [](NAFBlockImpl& block, const at::Tensor& x) { return block.compute(x); });
}

LIMPID_INLINE at::Tensor NAFBlockImpl::compute(const at::Tensor& input) {
  const auto gated = simple_gate(conv2_->forward(conv1_->forward(norm1_->forward(input))));
  const auto attended = gated * sca_->forward(gated);
  const auto mixed = input + conv3_->forward(attended) * beta_;
  const auto pointwise = simple_gate(conv4_->forward(norm2_->forward(mixed)));
  return mixed + conv5_->forward(pointwise) * gamma_;
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE torch::nn::Sequential naf_blocks(std::int64_t count, std::int64_t channels,
                                               std::int64_t stride, std::int64_t train_size) {
  torch::nn::Sequential blocks;
  for (std::int64_t i = 0; i < count; ++i) {
    blocks->push_back(NAFBlock(channels, stride, train_size));
  }
  return blocks;
}

LIMPID_INLINE FieldOfView view_of_naf_blocks(FieldOfView view, std::int64_t count,
                                             std::int64_t train_size) {
  if (count == 0) return view;
  view = view.convolved(3, 1, count);
  return view.averaged(LocalMeanPool(view.stride, train_size)->window());
}

LIMPID_INLINE void set_local_train_size(torch::nn::Module& module, std::int64_t train_size) {
  for (const auto& child : module.modules(/*include_self=*/false)) {
    if (auto* pool = child->as<LocalMeanPoolImpl>()) pool->set_train_size(train_size);
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
