#pragma once

#include <limpid/core/backbone_shape.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/dense_block.hpp>
#include <limpid/layers/initialise.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/max_pool2d.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/backbones/imagenet.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/layers/check_features.hpp>
#endif

namespace limpid {

/// Shape of a `DenseNet121`. ImageNet weights fit the defaults only.
struct DenseNet121Options {
  double width = 1.0;  ///< times the published channels, in (0, 1]; never below 4 channels

  /// Layers of the blocks at strides 4, 8, 16 and 32.
  std::array<std::int64_t, kBackboneMaps - 1> layers = {6, 12, 24, 16};

  bool imagenet_input = false;  ///< whether images are normalised by ImageNet's mean and deviation,
                                ///< as torchvision's weights expect; DeblurGAN-v2's do not

  /// The published number of channels, scaled.
  std::int64_t channels(std::int64_t published) const;
};

LIMPID_JSON(DenseNet121Options, width, layers, imagenet_input)

namespace detail {

/// `DenseNet121`'s layers, under the name `features`.
class DenseNetFeaturesImpl : public torch::nn::Cloneable<DenseNetFeaturesImpl> {
 public:
  explicit DenseNetFeaturesImpl(DenseNet121Options options);

  void reset() override;

  std::array<at::Tensor, kBackboneMaps> forward(const at::Tensor& image);

  std::array<std::int64_t, kBackboneMaps> channels{};  ///< of the maps

 private:
  DenseNet121Options options_;
  Conv2d conv0_{nullptr};
  torch::nn::BatchNorm2d norm0_{nullptr}, norm5_{nullptr};
  std::array<DenseBlock, kBackboneMaps - 1> blocks_{nullptr, nullptr, nullptr, nullptr};
  std::array<DenseTransition, kBackboneMaps - 2> transitions_{nullptr, nullptr, nullptr};
};

TORCH_MODULE(DenseNetFeatures);

}  // namespace detail

/// DenseNet-121 as five maps: behind its first ReLU, behind the first three dense blocks, and
/// behind the last and its norm.
///
/// Source: Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, table 1; maps as
/// DeblurGAN-v2 (Kupyn et al., ICCV 2019) takes them, before the transitions and without a ReLU
/// behind the last norm. Parameters are named as in torchvision's module:
/// `features.denseblock1.denselayer1.norm1.weight` ...
class DenseNet121Impl : public torch::nn::Cloneable<DenseNet121Impl> {
 public:
  using Options = DenseNet121Options;

  static constexpr std::string_view architecture = "densenet121";
  static constexpr std::string_view published_name = "densenet";

  /// Random weights (He et al. 2015).
  /// @throws c10::ValueError if `width` is out of range or a block has no layer.
  explicit DenseNet121Impl(DenseNet121Options options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in [-1, 1], sides that are multiples of 32.
  /// @return       maps of sides H/2, H/4, H/8, H/16, H/32, and likewise W.
  /// @throws c10::ValueError if `image` has another shape.
  std::array<at::Tensor, kBackboneMaps> forward(const at::Tensor& image);

  /// Sides that are multiples of 32; its convolutions keep the border.
  BackboneShape shape() const;

  const DenseNet121Options& options() const { return options_; }

 private:
  DenseNet121Options options_;
  detail::DenseNetFeatures features_{nullptr};
};

/// Handle to a `DenseNet121Impl`.
TORCH_MODULE(DenseNet121);

static_assert(Backbone<DenseNet121>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::int64_t DenseNet121Options::channels(std::int64_t published) const {
  return detail::scaled_channels(published, width);
}

LIMPID_INLINE DenseNet121Impl::DenseNet121Impl(DenseNet121Options options) : options_(options) {
  detail::check_width("DenseNet121: width", options.width);
  for (const auto count : options.layers) detail::check_at_least("DenseNet121: layers", count, 1);
  reset();
}

LIMPID_INLINE void DenseNet121Impl::reset() {
  features_ = register_module("features", detail::DenseNetFeatures(options_));
}

LIMPID_INLINE std::array<at::Tensor, kBackboneMaps> DenseNet121Impl::forward(
    const at::Tensor& image) {
  detail::check_padded_image("DenseNet121", image, shape().padding);
  return features_->forward(options_.imagenet_input ? to_imagenet(image) : image);
}

LIMPID_INLINE BackboneShape DenseNet121Impl::shape() const {
  auto view = FieldOfView{}.convolved(7, 2).convolved(3, 2);
  for (std::size_t i = 0; i < options_.layers.size(); ++i) {
    if (i > 0) view = view.convolved(2, 2);
    view = view.convolved(3, 1, options_.layers[i]);
  }
  return {.channels = features_->channels, .view = view};
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE DenseNetFeaturesImpl::DenseNetFeaturesImpl(DenseNet121Options options)
    : options_(options) {
  reset();
  initialise_weights(*this);
}

LIMPID_INLINE void DenseNetFeaturesImpl::reset() {
  using namespace torch::nn;
  auto in = options_.channels(64);
  channels[0] = in;
  conv0_ =
      register_module("conv0", Conv2d(Conv2dOptions(3, in, 7).stride(2).padding(3).bias(false)));
  norm0_ = register_module("norm0", BatchNorm2d(in));
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const auto number = std::to_string(i + 1);
    blocks_[i] = register_module("denseblock" + number,
                                 DenseBlock(in, options_.channels(32), options_.layers[i]));
    in = blocks_[i]->out();
    channels[i + 1] = in;
    if (i + 1 == blocks_.size()) break;
    transitions_[i] = register_module("transition" + number, DenseTransition(in, in / 2));
    in /= 2;
  }
  norm5_ = register_module("norm5", BatchNorm2d(in));
}

LIMPID_INLINE std::array<at::Tensor, kBackboneMaps> DenseNetFeaturesImpl::forward(
    const at::Tensor& image) {
  std::array<at::Tensor, kBackboneMaps> maps;
  maps[0] = norm0_->forward(conv0_->forward(image)).relu_();
  auto map = at::max_pool2d(maps[0], 3, 2, 1);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    maps[i + 1] = blocks_[i]->forward(map);
    if (i + 1 < blocks_.size()) map = transitions_[i]->forward(maps[i + 1]);
  }
  maps.back() = norm5_->forward(maps.back());
  return maps;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
