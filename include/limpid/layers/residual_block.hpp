#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/recompute.hpp>

#include <ATen/ops/relu.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// input + conv(ReLU(conv(input))), 3x3 convolutions, no norm.
///
/// Source: Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR
/// Workshops 2017, sec. 3.1.
class ResidualBlockImpl : public torch::nn::Cloneable<ResidualBlockImpl> {
 public:
  /// @throws c10::ValueError if `channels` is below 1.
  explicit ResidualBlockImpl(std::int64_t channels);

  void reset() override;

  /// @param input  (N, channels, H, W).
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t channels_;
  Conv2d conv1_{nullptr}, conv2_{nullptr};
};

TORCH_MODULE(ResidualBlock);

static_assert(ImageModule<ResidualBlock>);

namespace detail {

/// `count` ResidualBlocks one after the other, named "0", "1" ...
LIMPID_INLINE torch::nn::Sequential residual_blocks(std::int64_t count, std::int64_t channels);

/// What `blocks` make of `input`; the input itself where there are none.
LIMPID_INLINE at::Tensor through(torch::nn::SequentialImpl& blocks, const at::Tensor& input);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ResidualBlockImpl::ResidualBlockImpl(std::int64_t channels) : channels_(channels) {
  detail::check_at_least("ResidualBlock: channels", channels, 1);
  reset();
}

LIMPID_INLINE void ResidualBlockImpl::reset() {
  const auto options = torch::nn::Conv2dOptions(channels_, channels_, 3).padding(1);
  conv1_ = register_module("conv1", Conv2d(options));
  conv2_ = register_module("conv2", Conv2d(options));
}

LIMPID_INLINE at::Tensor ResidualBlockImpl::forward(const at::Tensor& input) {
  return recomputed(*this, input, [](ResidualBlockImpl& block, const at::Tensor& x) {
    return x + block.conv2_->forward(at::relu(block.conv1_->forward(x)));
  });
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE torch::nn::Sequential residual_blocks(std::int64_t count, std::int64_t channels) {
  torch::nn::Sequential blocks;
  for (std::int64_t i = 0; i < count; ++i) blocks->push_back(ResidualBlock(channels));
  return blocks;
}

LIMPID_INLINE at::Tensor through(torch::nn::SequentialImpl& blocks, const at::Tensor& input) {
  return blocks.is_empty() ? input : blocks.forward(input);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
