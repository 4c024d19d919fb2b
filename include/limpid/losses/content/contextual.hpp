#pragma once

#include <limpid/backbones/vgg19.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/vgg_features.hpp>

#include <ATen/ops/bmm.h>
#include <ATen/ops/softmax.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Distance of two sets of VGG-19 features, wherever in the image they are: for pairs that are not
/// aligned to the pixel.
///
/// Source: Mechrez, Talmi and Zelnik-Manor, "The Contextual Loss for Image Transformation with
/// Non-Aligned Data", ECCV 2018, eq. 2 to 5. Features i of restored and j of target are centred on
/// the target's mean over the batch; d_ij is their cosine distance, d~_ij = d_ij / (min_k d_ik +
/// epsilon), w_ij = exp((1 - d~_ij) / bandwidth), A_ij = w_ij / sum_k w_ik; the loss of a sample is
/// -log(mean over j of max over i of A_ij), and the whole is the mean over samples.
///
/// Memory: a few matrices of (H' W')^2 floats per sample live until the backward pass: 64 MiB each
/// for the 64 x 64 map that conv3_3 makes of 256 x 256 pixels. Equal images do not give zero.
struct Contextual {
  VGG19 vgg;
  std::string layer = "conv3_3";  ///< convI_J before, reluI_J after the activation
  double bandwidth = 0.5;         ///< the paper's h: smaller makes the nearest feature count more
  double epsilon = 1e-5;          ///< keeps the relative distance finite where features agree
  VGGInput input = VGGInput::imagenet;

  static constexpr std::string_view name = "contextual";

  /// Moves the shared VGG.
  void to(c10::Device device);

  /// @param restored, target  (N, 3, H, W), values in [-1, 1].
  /// @return  scalar.
  /// @throws c10::ValueError if the shapes are others, `vgg` has no such layer, or `bandwidth` or
  ///         `epsilon` is not positive.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;

  /// What it looks at; sums share it.
  /// @throws c10::ValueError if `bandwidth` or `epsilon` is not positive.
  FeatureRequest features() const;

  at::Tensor compare(const FeatureMaps& maps) const;

 private:
  static at::Tensor unit_length(const at::Tensor& features);
};

static_assert(NamedContentLoss<Contextual> && FeatureLoss<Contextual>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Contextual::to(c10::Device device) { vgg->to(device); }

LIMPID_INLINE at::Tensor Contextual::operator()(const at::Tensor& restored,
                                                const at::Tensor& target) const {
  return detail::compare_alone(*this, restored, target);
}

LIMPID_INLINE FeatureRequest Contextual::features() const {
  detail::check_positive("Contextual: bandwidth", bandwidth);
  detail::check_positive("Contextual: epsilon", epsilon);
  return detail::vgg_features("Contextual", vgg, layer, input);
}

LIMPID_INLINE at::Tensor Contextual::compare(const FeatureMaps& maps) const {
  // Half types would lose the small distances that decide: no autocast from here.
  c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const auto x = maps.restored.flatten(2);                // (N, C, I)
  const auto y = maps.target.flatten(2);                  // (N, C, J)
  const auto mean = y.mean(at::IntArrayRef{0, 2}, true);  // (1, C, 1), over the batch
  const auto cosine = at::bmm(unit_length(x - mean).transpose(1, 2), unit_length(y - mean));
  const auto distance = 1 - cosine;                            // (N, I, J)
  const auto nearest = distance.amin(2, true).clamp_min(0.0);  // (N, I, 1)
  const auto sharpness = (-1 / bandwidth) / (nearest + epsilon);
  const auto similarity = at::softmax(distance * sharpness, 2);  // rows sum to one
  return -similarity.amax(1).mean(1).log().mean();
}

LIMPID_INLINE at::Tensor Contextual::unit_length(const at::Tensor& features) {
  return features / features.norm(2, {1}, true).clamp_min(1e-12);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
