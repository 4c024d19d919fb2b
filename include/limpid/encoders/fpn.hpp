#pragma once

#include <limpid/core/backbone_shape.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/encoders/feature_pyramid.hpp>
#include <limpid/encoders/fpn_features.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/fpn_head.hpp>
#include <limpid/layers/upsample_nearest.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace limpid {

namespace detail {

/// "fpn-" and the backbone's name, as characters that a string_view can point to.
template <Backbone BackboneT>
inline constexpr auto kFPNArchitecture = [] {
  constexpr std::string_view prefix = "fpn-";
  constexpr std::string_view name = ModuleOf<BackboneT>::architecture;
  std::array<char, prefix.size() + name.size()> text{};
  std::copy(name.begin(), name.end(), std::copy(prefix.begin(), prefix.end(), text.begin()));
  return text;
}();

}  // namespace detail

/// A feature pyramid over an ImageNet network, and a head for each of its four coarse levels.
///
/// Source: Martyniuk, "Multi-task learning for image restoration", 2019, sec. 3.2, with the wiring
/// of the code published with it; DeblurGAN-v2 (Kupyn et al., ICCV 2019) with `top_down_convs`.
/// Parameters have the published names: `fpn.inception.*`, `fpn.lateral0.weight`,
/// `head1.block0.weight`.
/// Differs: unless `batch_norm` says otherwise, the backbone's batch norms use their running
/// statistics while training, too (docs/encoders.md says why); weights that no file gives are drawn
/// after He et al. (2015).
///
/// @tparam BackboneT  a `Backbone`: `FPNEncoder<InceptionResNetV2>`.
template <Backbone BackboneT>
class FPNEncoderImpl : public torch::nn::Cloneable<FPNEncoderImpl<BackboneT>> {
 public:
  using Features = FPNFeatures;
  using Options = FPNEncoderOptions<BackboneT>;

  static constexpr std::string_view architecture{detail::kFPNArchitecture<BackboneT>.data(),
                                                 detail::kFPNArchitecture<BackboneT>.size()};

  /// @throws c10::ValueError if a width is below 1 or the backbone refuses its options.
  explicit FPNEncoderImpl(Options options = {}) : options_(options) {
    detail::check_at_least("FPNEncoder: pyramid_width", options.pyramid_width, 1);
    detail::check_at_least("FPNEncoder: head_width", options.head_width, 1);
    reset();
  }

  void reset() override {
    fpn_ = this->register_module("fpn", FeaturePyramid<BackboneT>(options_));
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      heads_[i] = this->register_module("head" + std::to_string(i + 1),
                                        FPNHead(options_.pyramid_width, options_.head_width));
    }
    train(this->is_training());
  }

  /// Training leaves the backbone in evaluation mode if its batch norms use running statistics.
  void train(bool on = true) override {
    torch::nn::Module::train(on);
    if (options_.batch_norm == BatchNormStatistics::running) pretrained().eval();
  }

  /// @param image  (N, 3, H, W), values in [-1, 1], sides that `padding()` takes.
  /// @throws c10::ValueError if `image` has another shape.
  FPNFeatures forward(const at::Tensor& image) {
    detail::check_padded_image("FPNEncoder", image, padding());
    FPNFeatures features{fpn_->forward(image)};
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      auto& map = features.maps[i + 1];
      map = upsample_nearest(heads_[i]->forward(map), std::int64_t{1} << i);
    }
    return features;
  }

  /// What the backbone takes. Statistics of a batch ask for more than one value: the coarsest map
  /// then has at least 2 x 2 pixels.
  ImagePadding padding() const {
    auto padding = fpn_->shape().padding;
    if (options_.batch_norm == BatchNormStatistics::batch) {
      padding.min_side = std::max<std::int64_t>(padding.min_side, 64);
    }
    return padding;
  }

  /// How far the features look, apart from the statistics of instance norm; nothing where the
  /// backbone does not say.
  std::optional<FieldOfView> field_of_view() const {
    if (!fpn_->shape().view) return std::nullopt;
    auto map = *fpn_->shape().view;
    const auto head = [](const FieldOfView& view) {
      return view.convolved(3, 1, 2).upsampled(view.stride / 4);
    };
    auto widest = head(map);
    for (int level = 3; level >= 1; --level) {
      map = map.upsampled(2);
      if (options_.top_down_convs) map = map.convolved(3);
      widest = widest.joined(head(map));
    }
    return widest;
  }

  /// The backbone, whose weights come from ImageNet: what a trainer freezes.
  torch::nn::Module& pretrained() { return *fpn_->backbone(); }

  /// The same with its own type, to load its weights: `load_weights(encoder->backbone(), ...)`.
  BackboneT& backbone() { return fpn_->backbone(); }

  const Options& options() const { return options_; }

 private:
  Options options_;
  FeaturePyramid<BackboneT> fpn_{nullptr};
  std::array<FPNHead, 4> heads_{nullptr, nullptr, nullptr, nullptr};
};

/// Handle to an `FPNEncoderImpl`.
template <Backbone BackboneT>
using FPNEncoder = torch::nn::ModuleHolder<FPNEncoderImpl<BackboneT>>;

}  // namespace limpid
