#pragma once

#include <limpid/core/backbone_shape.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/inverted_residual.hpp>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/backbones/imagenet.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/layers/check_features.hpp>

#include <algorithm>
#endif

namespace limpid {

/// Shape of a `MobileNetV2`.
struct MobileNetV2Options {
  double width = 1.0;  ///< times the published channels, rounded to multiples of 8 as torchvision's

  /// Which of torchvision's `features` are the maps, one of each stride. DeblurGAN-v2's by default;
  /// 1, 3, 6, 13, 17 are the deepest blocks. Nothing behind the last is built.
  std::array<std::int64_t, kBackboneMaps> maps = {1, 3, 6, 10, 15};

  bool imagenet_input = false;  ///< whether images are normalised by ImageNet's mean and deviation,
                                ///< as torchvision's weights expect; DeblurGAN-v2's do not

  /// The published number of channels, scaled.
  std::int64_t channels(std::int64_t published) const;
};

LIMPID_JSON(MobileNetV2Options, width, maps, imagenet_input)

namespace detail {

/// One of MobileNetV2's `features`, as published.
struct MobileNetV2Feature {
  std::int64_t channels;
  std::int64_t stride;     ///< of the image, all before included
  std::int64_t expansion;  ///< 0: a plain convolution
};

inline constexpr std::array<MobileNetV2Feature, 19> kMobileNetV2Features{{{32, 2, 0},
                                                                          {16, 2, 1},
                                                                          {24, 4, 6},
                                                                          {24, 4, 6},
                                                                          {32, 8, 6},
                                                                          {32, 8, 6},
                                                                          {32, 8, 6},
                                                                          {64, 16, 6},
                                                                          {64, 16, 6},
                                                                          {64, 16, 6},
                                                                          {64, 16, 6},
                                                                          {96, 16, 6},
                                                                          {96, 16, 6},
                                                                          {96, 16, 6},
                                                                          {160, 32, 6},
                                                                          {160, 32, 6},
                                                                          {160, 32, 6},
                                                                          {320, 32, 6},
                                                                          {1280, 32, 0}}};

}  // namespace detail

/// MobileNetV2 as five maps: a light backbone, for CPUs.
///
/// Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
/// table 2. Parameters are named as in torchvision: `features.1.conv.0.0.weight` ...
class MobileNetV2Impl : public torch::nn::Cloneable<MobileNetV2Impl> {
 public:
  using Options = MobileNetV2Options;

  static constexpr std::string_view architecture = "mobilenet-v2";
  static constexpr std::string_view published_name = "mobilenet";

  /// Random weights (He et al. 2015).
  /// @throws c10::ValueError if `width` is not positive or a map has another stride than its place.
  explicit MobileNetV2Impl(MobileNetV2Options options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in [-1, 1], sides that are multiples of 32.
  /// @return       maps of sides H/2, H/4, H/8, H/16, H/32, and likewise W.
  /// @throws c10::ValueError if `image` has another shape.
  std::array<at::Tensor, kBackboneMaps> forward(const at::Tensor& image);

  /// Sides that are multiples of 32; its convolutions keep the border.
  BackboneShape shape() const;

  const MobileNetV2Options& options() const { return options_; }

 private:
  static const detail::MobileNetV2Feature& feature(std::int64_t index);

  /// The last convolution is never narrower than published, as torchvision's.
  std::int64_t channels(std::int64_t index) const;

  void initialise();

  MobileNetV2Options options_;
  torch::nn::ModuleList features_{nullptr};
};

/// Handle to a `MobileNetV2Impl`.
TORCH_MODULE(MobileNetV2);

static_assert(Backbone<MobileNetV2>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::int64_t MobileNetV2Options::channels(std::int64_t published) const {
  const auto scaled = static_cast<double>(published) * width;
  const auto rounded = std::max<std::int64_t>(8, static_cast<std::int64_t>(scaled + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * scaled ? rounded + 8 : rounded;
}

LIMPID_INLINE MobileNetV2Impl::MobileNetV2Impl(MobileNetV2Options options) : options_(options) {
  detail::check_positive("MobileNetV2: width", options.width);
  for (std::size_t i = 0; i < options.maps.size(); ++i) {
    const auto map = options.maps[i];
    const auto stride = std::int64_t{2} << i;
    const auto known = static_cast<std::int64_t>(detail::kMobileNetV2Features.size());
    TORCH_CHECK_VALUE(map >= 0 && map < known && feature(map).stride == stride,
                      "MobileNetV2: expected map ", i, " to be one of the features of stride ",
                      stride, ", got ", map);
  }
  reset();
  initialise();
}

LIMPID_INLINE void MobileNetV2Impl::reset() {
  features_ = register_module("features", torch::nn::ModuleList());
  std::int64_t in = 3;
  std::int64_t stride = 1;
  for (std::int64_t i = 0; i <= options_.maps.back(); ++i) {
    const auto out = channels(i);
    if (feature(i).expansion != 0) {
      features_->push_back(
          InvertedResidual(in, out, feature(i).stride / stride, feature(i).expansion));
    } else {
      features_->push_back(ConvNormReLU6(in, out, i == 0 ? 3 : 1, feature(i).stride / stride));
    }
    in = out;
    stride = feature(i).stride;
  }
}

LIMPID_INLINE std::array<at::Tensor, kBackboneMaps> MobileNetV2Impl::forward(
    const at::Tensor& image) {
  detail::check_padded_image("MobileNetV2", image, shape().padding);
  std::array<at::Tensor, kBackboneMaps> maps;
  auto next = maps.begin();
  auto map = options_.imagenet_input ? to_imagenet(image) : image;
  for (std::int64_t i = 0; i <= options_.maps.back(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    map = feature(i).expansion != 0 ? features_->at<InvertedResidualImpl>(place).forward(map)
                                    : features_->at<ConvNormReLU6Impl>(place).forward(map);
    if (options_.maps[static_cast<std::size_t>(next - maps.begin())] == i) *next++ = map;
  }
  return maps;
}

LIMPID_INLINE BackboneShape MobileNetV2Impl::shape() const {
  BackboneShape shape;
  FieldOfView view;
  for (std::int64_t i = 0; i <= options_.maps.back(); ++i) {
    const auto kernel = i == 0 || feature(i).expansion != 0 ? 3 : 1;
    view = view.convolved(kernel, feature(i).stride / view.stride);
  }
  shape.view = view;
  for (std::size_t i = 0; i < options_.maps.size(); ++i) {
    shape.channels[i] = channels(options_.maps[i]);
  }
  return shape;
}

LIMPID_INLINE const detail::MobileNetV2Feature& MobileNetV2Impl::feature(std::int64_t index) {
  return detail::kMobileNetV2Features[static_cast<std::size_t>(index)];
}

LIMPID_INLINE std::int64_t MobileNetV2Impl::channels(std::int64_t index) const {
  const auto published = feature(index).channels;
  const auto scaled = options_.channels(published);
  return published == 1280 ? std::max(published, scaled) : scaled;
}

LIMPID_INLINE void MobileNetV2Impl::initialise() {
  for (std::int64_t i = 0; i <= options_.maps.back(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (feature(i).expansion != 0) {
      features_->at<InvertedResidualImpl>(place).initialise();
    } else {
      initialise_weights(features_->at<ConvNormReLU6Impl>(place));
    }
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
