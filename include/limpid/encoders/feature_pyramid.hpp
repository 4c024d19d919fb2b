#pragma once

#include <limpid/core/backbone_shape.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/initialise.hpp>
#include <limpid/layers/norm_options.hpp>
#include <limpid/layers/upsample_nearest.hpp>

#include <ATen/TensorOperators.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace limpid {

/// Shape of an `FPNEncoder`. The defaults are the thesis' with InceptionResNetV2, and
/// DeblurGAN-v2's with DenseNet121; its InceptionResNetV2 and MobileNetV2 have `top_down_convs`,
/// and the latter also `pyramid_width` 128 and `head_width` 64.
template <Backbone BackboneT>
struct FPNEncoderOptions {
  typename ModuleOf<BackboneT>::Options backbone = {};
  std::int64_t pyramid_width = 256;    ///< channels of the top-down path
  std::int64_t head_width = 128;       ///< channels of every feature map
  bool top_down_convs = false;         ///< a 3x3 convolution, norm, ReLU after each addition
  NormKind norm = NormKind::instance;  ///< of these convolutions
  BatchNormStatistics batch_norm = BatchNormStatistics::running;  ///< of the backbone, in training

  NLOHMANN_DEFINE_TYPE_INTRUSIVE(FPNEncoderOptions, backbone, pyramid_width, head_width,
                                 top_down_convs, norm, batch_norm)
};

/// A backbone's maps, brought to equal widths and added up from coarse to fine.
///
/// Source: Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017, sec. 3, as wired
/// in Martyniuk's thesis (2019) and, with `top_down_convs`, in DeblurGAN-v2 (Kupyn et al., ICCV
/// 2019). Parameters have the published names: `inception.*`, `lateral0.weight`, `td1.0.weight`.
template <Backbone BackboneT>
class FeaturePyramidImpl : public torch::nn::Cloneable<FeaturePyramidImpl<BackboneT>> {
 public:
  explicit FeaturePyramidImpl(FPNEncoderOptions<BackboneT> options) : options_(options) {
    reset();
    torch::NoGradGuard no_grad;
    for (auto& lateral : laterals_) initialise_weights(*lateral, kLinearGain);
    for (auto& conv : top_down_) {
      if (conv) initialise_weights(*conv);
    }
  }

  void reset() override {
    using namespace torch::nn;
    const auto name = std::string{ModuleOf<BackboneT>::published_name};
    backbone_ = this->register_module(name, BackboneT{options_.backbone});
    shape_ = backbone_->shape();
    for (std::size_t i = 0; i < kBackboneMaps; ++i) {
      const auto out = i == 0 ? options_.head_width : options_.pyramid_width;
      laterals_[i] =
          this->register_module("lateral" + std::to_string(i),
                                Conv2d(Conv2dOptions(shape_.channels[i], out, 1).bias(false)));
    }
    for (std::size_t i = 0; options_.top_down_convs && i < top_down_.size(); ++i) {
      const auto width = options_.pyramid_width;
      top_down_[i] = this->register_module("td" + std::to_string(i + 1),
                                           detail::conv_norm_relu(width, width, options_.norm));
    }
  }

  /// @param image  (N, 3, H, W), as the backbone takes it.
  /// @return       (N, head width, H/2, W/2), then (N, pyramid width, H/s, W/s), s = 4, 8, 16, 32.
  /// @throws c10::ValueError if the backbone's maps are not what its `shape()` says.
  std::array<at::Tensor, kBackboneMaps> forward(const at::Tensor& image) {
    auto maps = backbone_->forward(image);
    for (std::size_t i = 0; i < kBackboneMaps; ++i) {
      maps[i] = reflected(laterals_[i]->forward(maps[i]), shape_.reflected[i]);
      const auto stride = std::int64_t{2} << i;
      const auto rows = image.size(2) / stride;
      const auto columns = image.size(3) / stride;
      TORCH_CHECK_VALUE(maps[i].size(2) == rows && maps[i].size(3) == columns,
                        "FPNEncoder: expected map ", i, " of backbone '",
                        ModuleOf<BackboneT>::architecture, "' to have ", rows, " x ", columns,
                        " pixels with its border, got ", maps[i].size(2), " x ", maps[i].size(3));
    }
    for (std::size_t level = 3; level >= 1; --level) {
      maps[level] = maps[level] + upsample_nearest(maps[level + 1], 2);
      auto& conv = top_down_[3 - level];
      if (conv) maps[level] = conv->forward(maps[level]);
    }
    return maps;
  }

  BackboneT& backbone() { return backbone_; }
  const BackboneShape& shape() const { return shape_; }

 private:
  static at::Tensor reflected(const at::Tensor& map, const MapBorder& border) {
    return border == MapBorder{} ? map : detail::reflection_pad(map, border);
  }

  FPNEncoderOptions<BackboneT> options_;
  BackboneShape shape_;
  BackboneT backbone_{nullptr};
  std::array<Conv2d, kBackboneMaps> laterals_{nullptr, nullptr, nullptr, nullptr, nullptr};
  std::array<torch::nn::Sequential, 3> top_down_{nullptr, nullptr, nullptr};  // td1 is the coarsest
};

/// Handle to a `FeaturePyramidImpl`.
template <Backbone BackboneT>
using FeaturePyramid = torch::nn::ModuleHolder<FeaturePyramidImpl<BackboneT>>;

}  // namespace limpid
