#pragma once

#include <limpid/backbones/vgg19.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/vgg_features.hpp>

#include <ATen/ops/bmm.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <string>
#include <string_view>
#include <vector>

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Distance of textures: of which VGG-19 features come together how often, wherever in the image.
///
/// Source: Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks",
/// CVPR 2016; in the form of Johnson, Alahi and Fei-Fei, ECCV 2016, eq. 3 and 4: for each layer G =
/// F F^T / (C H W) of the map F as (C, H W), the sum of squares of G(restored) - G(target); the sum
/// over the layers, mean over samples.
/// Differs: the layers are relu1_2, relu2_2 and relu3_3, no deeper than `Perceptual` looks, of
/// VGG-19; the paper has relu4_3 too, of VGG-16.
struct StyleLoss {
  VGG19 vgg;
  std::vector<std::string> layers = {"relu1_2", "relu2_2", "relu3_3"};
  VGGInput input = VGGInput::imagenet;

  static constexpr std::string_view name = "style";

  /// Moves the shared VGG.
  void to(c10::Device device);

  /// @param restored, target  (N, 3, H, W), values in [-1, 1].
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes are others, or `vgg` has no such layer.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;

  /// What it looks at; sums share it.
  /// @throws c10::ValueError if there is no layer.
  std::vector<FeatureRequest> features() const;

  at::Tensor compare(const std::vector<FeatureMaps>& maps) const;

 private:
  static at::Tensor gram(const at::Tensor& map);
};

static_assert(NamedContentLoss<StyleLoss> && LayeredFeatureLoss<StyleLoss>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void StyleLoss::to(c10::Device device) { vgg->to(device); }

LIMPID_INLINE at::Tensor StyleLoss::operator()(const at::Tensor& restored,
                                               const at::Tensor& target) const {
  return detail::compare_alone(*this, restored, target);
}

LIMPID_INLINE std::vector<FeatureRequest> StyleLoss::features() const {
  TORCH_CHECK_VALUE(!layers.empty(), "StyleLoss: expected at least one layer");
  std::vector<FeatureRequest> requests;
  for (const auto& layer : layers) {
    requests.push_back(detail::vgg_features("StyleLoss", vgg, layer, input));
  }
  return requests;
}

LIMPID_INLINE at::Tensor StyleLoss::compare(const std::vector<FeatureMaps>& maps) const {
  // Sums over all pixels: no autocast from here.
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  at::Tensor sum;
  for (const auto& map : maps) {
    const auto apart = gram(map.restored) - gram(map.target);  // (N, C, C)
    const auto part = apart.square().sum({1, 2}).mean();
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

LIMPID_INLINE at::Tensor StyleLoss::gram(const at::Tensor& map) {
  const auto features = map.flatten(2);  // (N, C, H W)
  const auto values = static_cast<double>(features.size(1) * features.size(2));
  return at::bmm(features, features.transpose(1, 2)) / values;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
