#pragma once

#include <limpid/backbones/vgg19.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/vgg_features.hpp>

#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Mean squared distance of VGG-19 feature maps: L_X of the thesis.
///
/// Source: Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
/// Super-Resolution", ECCV 2016, eq. 2; layer conv3_3 as in DeblurGAN (Kupyn et al. 2018).
/// The default takes the map before the activation; `relu3_3` takes it after, a choice that thesis
/// and paper leave open. Differs from the thesis' published code, which gives VGG raw images:
/// `input` chooses.
/// The target's map has no graph and VGG's weights never get a gradient.
struct Perceptual {
  VGG19 vgg;
  std::string layer = "conv3_3";  ///< convI_J before, reluI_J after the activation
  VGGInput input = VGGInput::imagenet;

  static constexpr std::string_view name = "perceptual";

  /// Moves the shared VGG.
  void to(c10::Device device);

  /// @param restored, target  (N, 3, H, W), values in [-1, 1].
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes are others, or `vgg` has no such layer.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;

  /// What it looks at; sums share it.
  FeatureRequest features() const;

  at::Tensor compare(const FeatureMaps& maps) const;
};

static_assert(NamedContentLoss<Perceptual> && FeatureLoss<Perceptual>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Perceptual::to(c10::Device device) { vgg->to(device); }

LIMPID_INLINE at::Tensor Perceptual::operator()(const at::Tensor& restored,
                                                const at::Tensor& target) const {
  return detail::compare_alone(*this, restored, target);
}

LIMPID_INLINE FeatureRequest Perceptual::features() const {
  return detail::vgg_features("Perceptual", vgg, layer, input);
}

LIMPID_INLINE at::Tensor Perceptual::compare(const FeatureMaps& maps) const {
  return (maps.restored - maps.target).square().mean();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
