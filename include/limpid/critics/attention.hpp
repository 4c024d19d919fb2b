#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/precision.hpp>
#include <limpid/layers/conv2d.hpp>

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Shape of an `AttentionCritic`, and how it learns where to look.
struct AttentionCriticOptions {
  std::int64_t in_channels = 3;  ///< channels of the judged image
  std::int64_t width = 64;       ///< channels of the first layer; doubles twice
  double map_weight = 0.05;      ///< of the map's loss beside the objective's, as published

  /// By how much the degraded image must differ from the target, mean over channels in [0, 1], for
  /// a pixel to count as damaged: 30 of 255, as published.
  double mask_threshold = 30.0 / 255;
};

LIMPID_JSON(AttentionCriticOptions, in_channels, width, map_weight, mask_threshold)

namespace detail {

/// 1 where a batch's degraded image differs from its target by more than `threshold`, mean over
/// channels in [0, 1]; else 0. (N, 1, H, W), float.
inline at::Tensor damage_mask(const AdversarialBatch& batch, double threshold) {
  const auto difference = at_least_float(batch.degraded).detach() - at_least_float(batch.target);
  return (difference.abs().mean(1, /*keepdim=*/true) > 2 * threshold).to(at::kFloat);
}

}  // namespace detail

/// Scores patches, and looks hardest where it takes the image to be restored: it predicts a map of
/// such places, and weighs its features by it.
///
/// Source: Qian et al., "Attentive Generative Adversarial Network for Raindrop Removal from A
/// Single Image" (DeRaindrop), CVPR 2018, sec. 4.2: the map of a restored image is drawn to where
/// the drops were, that of a clean one to zero.
/// Differs: where the drops were is the mask |degraded - target| > threshold, by which DeRaindrop
/// teaches the attention of its generator, whose map teaches its critic; generators here have none.
/// Features are weighed by 1 + map, so that a clean image, whose map is zero, is still judged (and
/// has a slope for gradient penalties), and the map is a sigmoid. Fully convolutional, so that it
/// takes images of any size: strided 4x4 convolutions and instance norm as in `PatchGAN`, no dense
/// layer of 1024 neurons, raw scores.
/// Every objective but BEGAN takes it, and adds its own loss (`WithOwnLoss`).
class AttentionCriticImpl : public torch::nn::Cloneable<AttentionCriticImpl> {
 public:
  static constexpr std::string_view architecture = "attention";

  /// Smallest image side in pixels.
  static constexpr std::int64_t min_side = 8;

  /// @throws c10::ValueError if a size is below 1, or a weight or a threshold negative.
  explicit AttentionCriticImpl(AttentionCriticOptions options = {});

  void reset() override;

  /// @param image  (N, in_channels, H, W), values in [-1, 1].
  /// @return       (N, 1, H / 8, W / 8) raw scores, no sigmoid; sides rounded down.
  /// @throws c10::ValueError if `image` has another shape or is smaller than `min_side`.
  at::Tensor forward(const at::Tensor& image);

  /// Where it takes the image to be restored: (N, 1, H / 4, W / 4), values in (0, 1).
  /// @throws c10::ValueError as `forward`.
  at::Tensor attention(const at::Tensor& image);

  /// What it learns beside the objective: mean squared distance of the restored image's map from
  /// the share of damaged pixels, and of the target's map from zero, times `map_weight`; a scalar.
  at::Tensor own_loss(const AdversarialBatch& batch);

  const AttentionCriticOptions& options() const { return options_; }

 private:
  at::Tensor features_of(const at::Tensor& image);

  at::Tensor map_of(const at::Tensor& features);

  AttentionCriticOptions options_;
  torch::nn::Sequential features_{nullptr}, scores_{nullptr};
  Conv2d map_{nullptr};
};

/// Handle to an `AttentionCriticImpl`.
TORCH_MODULE(AttentionCritic);

static_assert(Critic<AttentionCritic> && CriticWithOwnLoss<AttentionCritic>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE AttentionCriticImpl::AttentionCriticImpl(AttentionCriticOptions options)
    : options_(options) {
  detail::check_at_least("AttentionCritic: in_channels", options.in_channels, 1);
  detail::check_at_least("AttentionCritic: width", options.width, 1);
  detail::check_not_negative("AttentionCritic: map_weight", options.map_weight);
  detail::check_not_negative("AttentionCritic: mask_threshold", options.mask_threshold);
  reset();
}

LIMPID_INLINE void AttentionCriticImpl::reset() {
  using namespace torch::nn;
  const auto w = options_.width;
  const auto halving = [](std::int64_t in, std::int64_t out) {
    return Conv2d(Conv2dOptions(in, out, 4).stride(2).padding(1));
  };
  const auto keeping = [](std::int64_t in, std::int64_t out) {
    return Conv2d(Conv2dOptions(in, out, 3).padding(1));
  };
  const auto leaky = [] { return LeakyReLU(LeakyReLUOptions().negative_slope(0.2)); };
  features_ = register_module(
      "features", Sequential(halving(options_.in_channels, w), leaky(), halving(w, 2 * w),
                             InstanceNorm2d(2 * w), leaky(), keeping(2 * w, 4 * w),
                             InstanceNorm2d(4 * w), leaky()));
  map_ = register_module("map", keeping(4 * w, 1));
  scores_ =
      register_module("scores", Sequential(halving(4 * w, 4 * w), leaky(), keeping(4 * w, 1)));
}

LIMPID_INLINE at::Tensor AttentionCriticImpl::forward(const at::Tensor& image) {
  const auto features = features_of(image);
  return scores_->forward(features * (1 + map_of(features)));
}

LIMPID_INLINE at::Tensor AttentionCriticImpl::attention(const at::Tensor& image) {
  return map_of(features_of(image));
}

LIMPID_INLINE at::Tensor AttentionCriticImpl::own_loss(const AdversarialBatch& batch) {
  const auto restored = detail::at_least_float(attention(batch.restored.detach()));
  const auto target = detail::at_least_float(attention(batch.target));
  const auto mask = detail::damage_mask(batch, options_.mask_threshold);
  const auto wanted = at::adaptive_avg_pool2d(mask, restored.sizes().slice(2));
  return options_.map_weight * ((restored - wanted).square().mean() + target.square().mean());
}

LIMPID_INLINE at::Tensor AttentionCriticImpl::features_of(const at::Tensor& image) {
  detail::check_image("AttentionCritic", image, options_.in_channels, min_side);
  return features_->forward(image);
}

LIMPID_INLINE at::Tensor AttentionCriticImpl::map_of(const at::Tensor& features) {
  return map_->forward(features).sigmoid();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
