#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/bias_free_layer_norm2d.hpp>
#include <limpid/layers/channel_attention.hpp>
#include <limpid/layers/gated_feed_forward.hpp>
#include <limpid/layers/layer_norm2d.hpp>
#include <limpid/layers/norm_options.hpp>
#include <limpid/layers/recompute.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// What Restormer's blocks are made of, wherever they stand.
struct RestormerBlockOptions {
  double expansion = 2.66;  ///< hidden channels of the feed-forward per channel
  LayerNormKind norm = LayerNormKind::with_bias;
};

/// Restormer's block: attention between channels, then a gated feed-forward, each behind a layer
/// norm and added to its input.
///
/// Source: Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration",
/// CVPR 2022, fig. 2. Parameters have the published names.
class RestormerBlockImpl : public torch::nn::Cloneable<RestormerBlockImpl> {
 public:
  /// @throws c10::ValueError as `ChannelAttention` and `GatedFeedForward` do.
  RestormerBlockImpl(std::int64_t channels, std::int64_t heads, RestormerBlockOptions options = {});

  void reset() override;

  /// @param input  (N, channels, H, W).
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  torch::nn::Sequential norm() const;

  std::int64_t channels_;
  std::int64_t heads_;
  RestormerBlockOptions options_;
  torch::nn::Sequential norm1_{nullptr}, norm2_{nullptr};
  ChannelAttention attention_{nullptr};
  GatedFeedForward feed_forward_{nullptr};
};

TORCH_MODULE(RestormerBlock);

static_assert(ImageModule<RestormerBlock>);

namespace detail {

/// `count` RestormerBlocks one after the other, named "0", "1" ...
LIMPID_INLINE torch::nn::Sequential restormer_blocks(std::int64_t count, std::int64_t channels,
                                                     std::int64_t heads,
                                                     const RestormerBlockOptions& options);

/// How far `count` RestormerBlocks look, apart from attention, which looks at whole maps.
LIMPID_INLINE FieldOfView view_of_restormer_blocks(const FieldOfView& view, std::int64_t count);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE RestormerBlockImpl::RestormerBlockImpl(std::int64_t channels, std::int64_t heads,
                                                     RestormerBlockOptions options)
    : channels_(channels), heads_(heads), options_(options) {
  reset();
}

LIMPID_INLINE void RestormerBlockImpl::reset() {
  norm1_ = register_module("norm1", norm());
  attention_ = register_module("attn", ChannelAttention(channels_, heads_));
  norm2_ = register_module("norm2", norm());
  feed_forward_ = register_module("ffn", GatedFeedForward(channels_, options_.expansion));
}

LIMPID_INLINE at::Tensor RestormerBlockImpl::forward(const at::Tensor& input) {
  return recomputed(*this, input, [](RestormerBlockImpl& block, const at::Tensor& x) {
    const auto mixed = x + block.attention_->forward(block.norm1_->forward(x));
    return mixed + block.feed_forward_->forward(block.norm2_->forward(mixed));
  });
}

LIMPID_INLINE torch::nn::Sequential RestormerBlockImpl::norm() const {
  constexpr double kEpsilon = 1e-5;
  torch::nn::Sequential named;
  if (options_.norm == LayerNormKind::bias_free) {
    named->push_back("body", BiasFreeLayerNorm2d(channels_, kEpsilon));
  } else {
    named->push_back("body", LayerNorm2d(channels_, kEpsilon));
  }
  return named;
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE torch::nn::Sequential restormer_blocks(std::int64_t count, std::int64_t channels,
                                                     std::int64_t heads,
                                                     const RestormerBlockOptions& options) {
  torch::nn::Sequential blocks;
  for (std::int64_t i = 0; i < count; ++i) {
    blocks->push_back(RestormerBlock(channels, heads, options));
  }
  return blocks;
}

LIMPID_INLINE FieldOfView view_of_restormer_blocks(const FieldOfView& view, std::int64_t count) {
  return view.convolved(3, 1, 2 * count);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
