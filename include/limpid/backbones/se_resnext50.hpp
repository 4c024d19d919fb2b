#pragma once

#include <limpid/core/backbone_shape.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/initialise.hpp>
#include <limpid/layers/se_resnext_block.hpp>

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

#include <algorithm>
#include <cmath>
#endif

namespace limpid {

/// Shape of an `SEResNeXt50`. ImageNet weights fit the defaults only.
struct SEResNeXt50Options {
  double width = 1.0;  ///< times the published 32 groups of the 3x3 convolutions, in (0, 1]

  /// Residual blocks at strides 4, 8, 16 and 32.
  std::array<std::int64_t, kBackboneMaps - 1> blocks = {3, 4, 6, 3};

  bool imagenet_input = false;  ///< whether images are normalised by ImageNet's mean and deviation,
                                ///< as pretrainedmodels' weights expect

  /// Groups of every 3x3 convolution inside a block: 4 channels each at stride 4, twice as many at
  /// each further stride.
  std::int64_t groups() const;
};

LIMPID_JSON(SEResNeXt50Options, width, blocks, imagenet_input)

namespace detail {

/// What `SEResNeXt50` begins with, under the name `layer0`: ReLU(batch norm(conv)), stride 2.
class SEResNeXtStemImpl : public torch::nn::Cloneable<SEResNeXtStemImpl> {
 public:
  explicit SEResNeXtStemImpl(std::int64_t out);

  void reset() override;

  at::Tensor forward(const at::Tensor& image);

 private:
  std::int64_t out_;
  Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
};

TORCH_MODULE(SEResNeXtStem);

}  // namespace detail

/// SE-ResNeXt-50 (32x4d) as five maps: behind its first ReLU, and behind each of its four stages.
///
/// Source: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, table 1; in the form, and under
/// the parameter names, of pretrainedmodels' ImageNet checkpoint (`layer0.conv1.weight`,
/// `layer1.0.se_module.fc1.bias` ...): its max pool has no padding, and counts a last window that
/// is not whole.
class SEResNeXt50Impl : public torch::nn::Cloneable<SEResNeXt50Impl> {
 public:
  using Options = SEResNeXt50Options;

  static constexpr std::string_view architecture = "se-resnext50";
  static constexpr std::string_view published_name = "se_resnext50";

  /// Random weights (He et al. 2015).
  /// @throws c10::ValueError if `width` is out of range or a stage has no block.
  explicit SEResNeXt50Impl(SEResNeXt50Options options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in [-1, 1], sides that are multiples of 32.
  /// @return       maps of sides H/2, H/4, H/8, H/16, H/32, and likewise W.
  /// @throws c10::ValueError if `image` has another shape.
  std::array<at::Tensor, kBackboneMaps> forward(const at::Tensor& image);

  /// Sides that are multiples of 32; its convolutions keep the border. The view is apart from the
  /// means of the squeeze, which are the whole picture's.
  BackboneShape shape() const;

  const SEResNeXt50Options& options() const { return options_; }

 private:
  /// Of a map; published: 64, 256, 512, 1024, 2048.
  std::int64_t channels(std::size_t map) const;

  SEResNeXt50Options options_;
  detail::SEResNeXtStem layer0_{nullptr};
  std::array<torch::nn::ModuleList, kBackboneMaps - 1> stages_{nullptr, nullptr, nullptr, nullptr};
};

/// Handle to an `SEResNeXt50Impl`.
TORCH_MODULE(SEResNeXt50);

static_assert(Backbone<SEResNeXt50>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::int64_t SEResNeXt50Options::groups() const {
  return std::max<std::int64_t>(1, std::llround(32 * width));
}

LIMPID_INLINE SEResNeXt50Impl::SEResNeXt50Impl(SEResNeXt50Options options) : options_(options) {
  detail::check_width("SEResNeXt50: width", options.width);
  for (const auto count : options.blocks) detail::check_at_least("SEResNeXt50: blocks", count, 1);
  reset();
  for (auto& stage : stages_) {
    for (std::size_t i = 0; i < stage->size(); ++i) stage->at<SEResNeXtBlockImpl>(i).initialise();
  }
}

LIMPID_INLINE void SEResNeXt50Impl::reset() {
  using namespace torch::nn;
  auto in = channels(0);
  layer0_ = register_module("layer0", detail::SEResNeXtStem(in));
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const auto out = channels(i + 1);
    stages_[i] = register_module("layer" + std::to_string(i + 1), ModuleList());
    for (std::int64_t j = 0; j < options_.blocks[i]; ++j) {
      stages_[i]->push_back(SEResNeXtBlock(in, out, options_.groups(), i > 0 && j == 0 ? 2 : 1));
      in = out;
    }
  }
}

LIMPID_INLINE std::array<at::Tensor, kBackboneMaps> SEResNeXt50Impl::forward(
    const at::Tensor& image) {
  detail::check_padded_image("SEResNeXt50", image, shape().padding);
  std::array<at::Tensor, kBackboneMaps> maps;
  maps[0] = layer0_->forward(options_.imagenet_input ? to_imagenet(image) : image);
  auto map = at::max_pool2d(maps[0], 3, 2, /*padding=*/0, /*dilation=*/1, /*ceil_mode=*/true);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    for (std::size_t j = 0; j < stages_[i]->size(); ++j) {
      map = stages_[i]->at<SEResNeXtBlockImpl>(j).forward(map);
    }
    maps[i + 1] = map;
  }
  return maps;
}

LIMPID_INLINE BackboneShape SEResNeXt50Impl::shape() const {
  BackboneShape shape;
  auto view = FieldOfView{}.convolved(7, 2).convolved(3, 2);
  for (std::size_t i = 0; i < options_.blocks.size(); ++i) {
    view = view.convolved(3, i > 0 ? 2 : 1).convolved(3, 1, options_.blocks[i] - 1);
  }
  shape.view = view;
  for (std::size_t i = 0; i < kBackboneMaps; ++i) shape.channels[i] = channels(i);
  return shape;
}

LIMPID_INLINE std::int64_t SEResNeXt50Impl::channels(std::size_t map) const {
  constexpr std::array<std::int64_t, kBackboneMaps> kPerGroup{2, 8, 16, 32, 64};
  return kPerGroup[map] * options_.groups();
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE SEResNeXtStemImpl::SEResNeXtStemImpl(std::int64_t out) : out_(out) {
  reset();
  initialise_weights(*this);
}

LIMPID_INLINE void SEResNeXtStemImpl::reset() {
  using namespace torch::nn;
  conv1_ =
      register_module("conv1", Conv2d(Conv2dOptions(3, out_, 7).stride(2).padding(3).bias(false)));
  bn1_ = register_module("bn1", BatchNorm2d(out_));
}

LIMPID_INLINE at::Tensor SEResNeXtStemImpl::forward(const at::Tensor& image) {
  return bn1_->forward(conv1_->forward(image)).relu_();
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
