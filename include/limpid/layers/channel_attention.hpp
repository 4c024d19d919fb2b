#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/whole_maps.hpp>
#include <limpid/layers/conv2d.hpp>

#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/core/precision.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Attention between channels, in several heads (MDTA): each channel becomes a mixture of those of
/// its head, weighed by how alike queries and keys are over the whole map. Time and memory grow
/// with the number of pixels, not with its square.
///
/// Source: Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration",
/// CVPR 2022, sec. 3.1. Parameters have the published names. No convolution has a bias.
/// Differs: products of queries and keys are divided by their lengths, instead of products of
/// normalised maps, which is the same but for rounding and needs two maps less. A picture that is
/// restored in tiles has the products of the whole picture in each (`core/whole_maps.hpp`).
class ChannelAttentionImpl : public torch::nn::Cloneable<ChannelAttentionImpl> {
 public:
  /// @throws c10::ValueError if `channels` or `heads` is below 1, or heads do not divide channels.
  ChannelAttentionImpl(std::int64_t channels, std::int64_t heads);

  void reset() override;

  /// @param input  (N, channels, H, W).
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  static constexpr double kLeast = 1e-12;  // of a length, as published

  /// Queries, keys or values (`index` 0, 1, 2): (N, heads, channels of a head, pixels).
  at::Tensor part(const at::Tensor& qkv, std::int64_t index) const;

  /// Cosine between each query and each key of a head: (N, heads, c, c), or one of the whole
  /// picture.
  at::Tensor likeness(const at::Tensor& qkv) const;

  at::Tensor of_whole(WholeMaps& whole, const at::Tensor& qkv) const;

  /// Means over all pixels of: products of queries and keys, squares of queries, squares of keys.
  MapMoments moments(const at::Tensor& qkv) const;

  std::int64_t channels_;
  std::int64_t heads_;
  at::Tensor temperature_;
  Conv2d qkv_{nullptr}, qkv_dwconv_{nullptr}, project_out_{nullptr};
};

TORCH_MODULE(ChannelAttention);

static_assert(ImageModule<ChannelAttention>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ChannelAttentionImpl::ChannelAttentionImpl(std::int64_t channels, std::int64_t heads)
    : channels_(channels), heads_(heads) {
  detail::check_at_least("ChannelAttention: channels", channels, 1);
  detail::check_at_least("ChannelAttention: heads", heads, 1);
  TORCH_CHECK_VALUE(channels % heads == 0,
                    "ChannelAttention: expected heads that divide the channels, got ", heads,
                    " heads for ", channels, " channels");
  reset();
}

LIMPID_INLINE void ChannelAttentionImpl::reset() {
  using torch::nn::Conv2dOptions;
  const auto c = channels_;
  temperature_ = register_parameter("temperature", at::ones({heads_, 1, 1}));
  qkv_ = register_module("qkv", Conv2d(Conv2dOptions(c, 3 * c, 1).bias(false)));
  qkv_dwconv_ = register_module(
      "qkv_dwconv", Conv2d(Conv2dOptions(3 * c, 3 * c, 3).padding(1).groups(3 * c).bias(false)));
  project_out_ = register_module("project_out", Conv2d(Conv2dOptions(c, c, 1).bias(false)));
}

LIMPID_INLINE at::Tensor ChannelAttentionImpl::forward(const at::Tensor& input) {
  detail::check_image("ChannelAttention", input, channels_);
  const auto qkv = qkv_dwconv_->forward(qkv_->forward(input));
  const auto weights = (likeness(qkv) * temperature_).softmax(-1);
  const auto mixed = at::matmul(weights, part(qkv, 2));
  return project_out_->forward(detail::laid_like(mixed.reshape(input.sizes()), input));
}

LIMPID_INLINE at::Tensor ChannelAttentionImpl::part(const at::Tensor& qkv,
                                                    std::int64_t index) const {
  return qkv.narrow(1, index * channels_, channels_)
      .reshape({qkv.size(0), heads_, channels_ / heads_, qkv.size(2) * qkv.size(3)});
}

LIMPID_INLINE at::Tensor ChannelAttentionImpl::likeness(const at::Tensor& qkv) const {
  if (auto* whole = WholeMaps::current()) return of_whole(*whole, qkv);
  const auto q = part(qkv, 0), k = part(qkv, 1);
  const auto length = [](const at::Tensor& map) {
    return detail::at_least_float(map).norm(2, {3}, /*keepdim=*/true).clamp_min(kLeast);
  };
  return at::matmul(q, k.transpose(2, 3)) / (length(q) * length(k).transpose(2, 3));
}

LIMPID_INLINE at::Tensor ChannelAttentionImpl::of_whole(WholeMaps& whole,
                                                        const at::Tensor& qkv) const {
  const auto c = channels_ / heads_;
  const auto means = whole.of(qkv, [this](const at::Tensor& shown) { return moments(shown); })
                         .mean.split_with_sizes({channels_ * c, channels_, channels_});
  const auto length = [](const at::Tensor& squares) { return squares.sqrt().clamp_min(kLeast); };
  const auto likeness =
      means[0].view({1, heads_, c, c}) /
      (length(means[1]).view({1, heads_, c, 1}) * length(means[2]).view({1, heads_, 1, c}));
  return likeness.to(qkv.device(), c10::promoteTypes(qkv.scalar_type(), at::kFloat));
}

LIMPID_INLINE MapMoments ChannelAttentionImpl::moments(const at::Tensor& qkv) const {
  const auto c = channels_ / heads_;
  const auto count = static_cast<double>(qkv.size(0) * qkv.size(2) * qkv.size(3));
  const auto q = detail::at_least_float(part(qkv, 0)), k = detail::at_least_float(part(qkv, 1));
  const auto mean = [&](const at::Tensor& sums) {
    return sums.to(at::kCPU, at::kDouble).sum(0) / count;
  };
  const auto products = mean(at::matmul(q, k.transpose(2, 3)));
  const auto queries = mean(q.square().sum(3)), keys = mean(k.square().sum(3));
  const auto most = queries.view({heads_, c, 1}) * keys.view({heads_, 1, c});
  return {at::cat({products.flatten(), queries.flatten(), keys.flatten()}),
          at::cat({most.flatten(), queries.square().flatten(), keys.square().flatten()})};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
