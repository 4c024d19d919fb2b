#pragma once

#include <limpid/core/backbone_shape.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/inception_block.hpp>
#include <limpid/layers/initialise.hpp>
#include <limpid/layers/residual_block.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/max_pool2d.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace limpid {

/// Shape of an `InceptionResNetV2`. ImageNet weights fit the defaults only.
struct InceptionResNetV2Options {
  double width = 1.0;          ///< times the published channels, in (0, 1]; never below 4 channels
  std::int64_t repeat = 10;    ///< residual blocks at stride 8, published: 10
  std::int64_t repeat_1 = 20;  ///< residual blocks at stride 16, published: 20

  /// The published number of channels, scaled.
  std::int64_t channels(std::int64_t published) const {
    return detail::scaled_channels(published, width);
  }
};

LIMPID_JSON(InceptionResNetV2Options, width, repeat, repeat_1)

/// Inception-ResNet-v2 up to its last reduction, as five maps.
///
/// Source: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections
/// on Learning", AAAI 2017; in the form, and under the parameter names, of pretrainedmodels'
/// ImageNet checkpoint, cut as in Martyniuk's thesis and DeblurGAN-v2 (Kupyn et al., ICCV 2019).
/// Its convolutions lose pixels at the border, so maps are smaller than the image over their
/// stride.
class InceptionResNetV2Impl : public torch::nn::Cloneable<InceptionResNetV2Impl> {
 public:
  using Options = InceptionResNetV2Options;

  static constexpr std::string_view architecture = "inception-resnet-v2";
  static constexpr std::string_view published_name = "inception";

  /// Random weights (He et al. 2015).
  /// @throws c10::ValueError if `width` is out of range or a count negative.
  explicit InceptionResNetV2Impl(InceptionResNetV2Options options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in [-1, 1], as the ImageNet weights expect it; sides that
  ///               `shape().padding` takes.
  /// @return       maps of sides H/2 - 1, H/4 - 2, H/8 - 3, H/16 - 2, H/32 - 2, and likewise W.
  /// @throws c10::ValueError if `image` has another shape.
  std::array<at::Tensor, kBackboneMaps> forward(const at::Tensor& image);

  /// Sides that are multiples of 32, at least 128: below, the last map has fewer than the two rows
  /// or columns that a reflection takes.
  BackboneShape shape() const;

  const InceptionResNetV2Options& options() const { return options_; }

 private:
  InceptionUnit unit(const char* name, const InceptionUnitOptions& options);

  /// Of the last map. Its convolutions without padding move what they see by some cells, which the
  /// reflected borders undo but for one or two.
  FieldOfView view() const;

  InceptionBlockOptions mixed_5b_options() const;

  InceptionBlockOptions mixed_6a_options() const;

  InceptionBlockOptions mixed_7a_options() const;

  InceptionResNetV2Options options_;
  InceptionUnit conv2d_1a_{nullptr}, conv2d_2a_{nullptr}, conv2d_2b_{nullptr};
  InceptionUnit conv2d_3b_{nullptr}, conv2d_4a_{nullptr};
  InceptionBlock mixed_5b_{nullptr}, mixed_6a_{nullptr}, mixed_7a_{nullptr};
  torch::nn::Sequential repeat_{nullptr}, repeat_1_{nullptr};
};

/// Handle to an `InceptionResNetV2Impl`.
TORCH_MODULE(InceptionResNetV2);

static_assert(Backbone<InceptionResNetV2>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE InceptionResNetV2Impl::InceptionResNetV2Impl(InceptionResNetV2Options options)
    : options_(options) {
  detail::check_width("InceptionResNetV2: width", options.width);
  detail::check_at_least("InceptionResNetV2: repeat", options.repeat, 0);
  detail::check_at_least("InceptionResNetV2: repeat_1", options.repeat_1, 0);
  reset();
  initialise_weights(*this);
}

LIMPID_INLINE void InceptionResNetV2Impl::reset() {
  const auto c = [this](std::int64_t published) { return options_.channels(published); };
  using Unit = InceptionUnitOptions;
  conv2d_1a_ = unit("conv2d_1a", Unit{.in = 3, .out = c(32), .kernel = {3, 3}, .stride = 2});
  conv2d_2a_ = unit("conv2d_2a", Unit{.in = c(32), .out = c(32), .kernel = {3, 3}});
  conv2d_2b_ =
      unit("conv2d_2b", Unit{.in = c(32), .out = c(64), .kernel = {3, 3}, .padding = {1, 1}});
  conv2d_3b_ = unit("conv2d_3b", Unit{.in = c(64), .out = c(80)});
  conv2d_4a_ = unit("conv2d_4a", Unit{.in = c(80), .out = c(192), .kernel = {3, 3}});

  const auto mixed_5b = mixed_5b_options();
  mixed_5b_ = register_module("mixed_5b", InceptionBlock(mixed_5b));
  repeat_ = register_module("repeat", torch::nn::Sequential());
  for (std::int64_t i = 0; i < options_.repeat; ++i) {
    repeat_->push_back(InceptionBlock(
        InceptionBlockOptions{.in = mixed_5b.out(),
                              .branches = {{{c(32)}},
                                           {{c(32)}, {c(32), {3, 3}}},
                                           {{c(32)}, {c(48), {3, 3}}, {c(64), {3, 3}}}},
                              .residual_scale = 0.17}));
  }
  const auto mixed_6a = mixed_6a_options();
  mixed_6a_ = register_module("mixed_6a", InceptionBlock(mixed_6a));
  repeat_1_ = register_module("repeat_1", torch::nn::Sequential());
  for (std::int64_t i = 0; i < options_.repeat_1; ++i) {
    repeat_1_->push_back(InceptionBlock(InceptionBlockOptions{
        .in = mixed_6a.out(),
        .branches = {{{c(192)}}, {{c(128)}, {c(160), {1, 7}}, {c(192), {7, 1}}}},
        .residual_scale = 0.10}));
  }
  mixed_7a_ = register_module("mixed_7a", InceptionBlock(mixed_7a_options()));
}

LIMPID_INLINE std::array<at::Tensor, kBackboneMaps> InceptionResNetV2Impl::forward(
    const at::Tensor& image) {
  detail::check_padded_image("InceptionResNetV2", image, shape().padding);
  const auto stride2 = conv2d_1a_->forward(image);
  const auto stride4 = at::max_pool2d(conv2d_2b_->forward(conv2d_2a_->forward(stride2)), 3, 2);
  const auto stride8 = at::max_pool2d(conv2d_4a_->forward(conv2d_3b_->forward(stride4)), 3, 2);
  const auto stride16 = mixed_6a_->forward(detail::through(*repeat_, mixed_5b_->forward(stride8)));
  const auto stride32 = mixed_7a_->forward(detail::through(*repeat_1_, stride16));
  return {stride2, stride4, stride8, stride16, stride32};
}

LIMPID_INLINE BackboneShape InceptionResNetV2Impl::shape() const {
  return {.channels = {options_.channels(32), options_.channels(64), options_.channels(192),
                       mixed_6a_options().out(), mixed_7a_options().out()},
          .reflected = {MapBorder{0, 1, 0, 1}, MapBorder{1, 1, 1, 1}, MapBorder{1, 2, 1, 2},
                        MapBorder{1, 1, 1, 1}, MapBorder{1, 1, 1, 1}},
          .view = view(),
          .padding = {.multiple = 32, .min_side = 128}};
}

LIMPID_INLINE InceptionUnit InceptionResNetV2Impl::unit(const char* name,
                                                        const InceptionUnitOptions& options) {
  return register_module(name, InceptionUnit(options));
}

LIMPID_INLINE FieldOfView InceptionResNetV2Impl::view() const {
  const auto stem = FieldOfView{}.convolved(3, 2).convolved(3, 1, 2).convolved(3, 2);
  const auto stride8 = stem.convolved(3).convolved(3, 2).convolved(5);
  const auto stride16 = stride8.convolved(3, 1, 2 * options_.repeat + 1).convolved(3, 2);
  const auto stride32 = stride16.convolved(7, 1, options_.repeat_1).convolved(3).convolved(3, 2);
  return stride32.convolved(5);
}

LIMPID_INLINE InceptionBlockOptions InceptionResNetV2Impl::mixed_5b_options() const {
  const auto c = [this](std::int64_t published) { return options_.channels(published); };
  return {.in = c(192),
          .branches = {{{c(96)}},
                       {{c(48)}, {c(64), {5, 5}}},
                       {{c(64)}, {c(96), {3, 3}}, {c(96), {3, 3}}}},
          .mean_pooled = c(64)};
}

LIMPID_INLINE InceptionBlockOptions InceptionResNetV2Impl::mixed_6a_options() const {
  const auto c = [this](std::int64_t published) { return options_.channels(published); };
  return {.in = mixed_5b_options().out(),
          .branches = {{{c(384), {3, 3}, 2}}, {{c(256)}, {c(256), {3, 3}}, {c(384), {3, 3}, 2}}},
          .max_pooled = true};
}

LIMPID_INLINE InceptionBlockOptions InceptionResNetV2Impl::mixed_7a_options() const {
  const auto c = [this](std::int64_t published) { return options_.channels(published); };
  return {.in = mixed_6a_options().out(),
          .branches = {{{c(256)}, {c(384), {3, 3}, 2}},
                       {{c(256)}, {c(288), {3, 3}, 2}},
                       {{c(256)}, {c(288), {3, 3}}, {c(320), {3, 3}, 2}}},
          .max_pooled = true};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
