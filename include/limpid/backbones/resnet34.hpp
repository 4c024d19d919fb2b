#pragma once

#include <limpid/backbones/imagenet.hpp>
#include <limpid/core/backbone_shape.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/basic_block.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/initialise.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/max_pool2d.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

/// Shape of a `ResNet34`. ImageNet weights fit the defaults only.
struct ResNet34Options {
  double width = 1.0;  ///< times the published channels, in (0, 1]; never below 4 channels

  /// Residual blocks at strides 4, 8, 16 and 32.
  std::array<std::int64_t, kBackboneMaps - 1> blocks = {3, 4, 6, 3};

  bool imagenet_input = false;  ///< whether images are normalised by ImageNet's mean and deviation,
                                ///< as torchvision's weights expect

  /// The published number of channels, scaled.
  std::int64_t channels(std::int64_t published) const {
    return detail::scaled_channels(published, width);
  }
};

LIMPID_JSON(ResNet34Options, width, blocks, imagenet_input)

/// ResNet-34 as five maps: behind its first ReLU, and behind each of its four stages.
///
/// Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1.
/// Parameters are named as in torchvision: `conv1.weight`, `layer1.0.bn2.running_mean` ...
class ResNet34Impl : public torch::nn::Cloneable<ResNet34Impl> {
 public:
  using Options = ResNet34Options;

  static constexpr std::string_view architecture = "resnet34";
  static constexpr std::string_view published_name = "resnet34";

  /// Random weights (He et al. 2015).
  /// @throws c10::ValueError if `width` is out of range or a stage has no block.
  explicit ResNet34Impl(ResNet34Options options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in [-1, 1], sides that are multiples of 32.
  /// @return       maps of sides H/2, H/4, H/8, H/16, H/32, and likewise W.
  /// @throws c10::ValueError if `image` has another shape.
  std::array<at::Tensor, kBackboneMaps> forward(const at::Tensor& image);

  /// Sides that are multiples of 32; its convolutions keep the border.
  BackboneShape shape() const;

  const ResNet34Options& options() const { return options_; }

 private:
  /// Of a map.
  std::int64_t channels(std::size_t map) const;

  ResNet34Options options_;
  Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  std::array<torch::nn::ModuleList, kBackboneMaps - 1> stages_{nullptr, nullptr, nullptr, nullptr};
};

/// Handle to a `ResNet34Impl`.
TORCH_MODULE(ResNet34);

static_assert(Backbone<ResNet34>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ResNet34Impl::ResNet34Impl(ResNet34Options options) : options_(options) {
  detail::check_width("ResNet34: width", options.width);
  for (const auto count : options.blocks) detail::check_at_least("ResNet34: blocks", count, 1);
  reset();
  initialise_weights(*conv1_);
  for (auto& stage : stages_) {
    for (std::size_t i = 0; i < stage->size(); ++i) stage->at<BasicBlockImpl>(i).initialise();
  }
}

LIMPID_INLINE void ResNet34Impl::reset() {
  using namespace torch::nn;
  auto in = channels(0);
  conv1_ =
      register_module("conv1", Conv2d(Conv2dOptions(3, in, 7).stride(2).padding(3).bias(false)));
  bn1_ = register_module("bn1", BatchNorm2d(in));
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    stages_[i] = register_module("layer" + std::to_string(i + 1), ModuleList());
    for (std::int64_t j = 0; j < options_.blocks[i]; ++j) {
      stages_[i]->push_back(BasicBlock(in, channels(i + 1), i > 0 && j == 0 ? 2 : 1));
      in = channels(i + 1);
    }
  }
}

LIMPID_INLINE std::array<at::Tensor, kBackboneMaps> ResNet34Impl::forward(const at::Tensor& image) {
  detail::check_padded_image("ResNet34", image, shape().padding);
  const auto input = options_.imagenet_input ? to_imagenet(image) : image;
  std::array<at::Tensor, kBackboneMaps> maps;
  maps[0] = bn1_->forward(conv1_->forward(input)).relu_();
  auto map = at::max_pool2d(maps[0], 3, 2, 1);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    for (std::size_t j = 0; j < stages_[i]->size(); ++j) {
      map = stages_[i]->at<BasicBlockImpl>(j).forward(map);
    }
    maps[i + 1] = map;
  }
  return maps;
}

LIMPID_INLINE BackboneShape ResNet34Impl::shape() const {
  BackboneShape shape;
  auto view = FieldOfView{}.convolved(7, 2).convolved(3, 2);
  for (std::size_t i = 0; i < options_.blocks.size(); ++i) {
    view = view.convolved(3, i > 0 ? 2 : 1).convolved(3, 1, 2 * options_.blocks[i] - 1);
  }
  shape.view = view;
  for (std::size_t i = 0; i < kBackboneMaps; ++i) shape.channels[i] = channels(i);
  return shape;
}

LIMPID_INLINE std::int64_t ResNet34Impl::channels(std::size_t map) const {
  constexpr std::array<std::int64_t, kBackboneMaps> kPublished{64, 64, 128, 256, 512};
  return options_.channels(kPublished[map]);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
