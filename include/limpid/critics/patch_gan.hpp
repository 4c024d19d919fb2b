#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace limpid {

/// Shape of a `PatchGAN` critic.
struct PatchGANOptions {
  std::int64_t in_channels = 3;  ///< channels of the judged image; 6 when beside its input
  std::int64_t width = 64;       ///< channels of the first layer; doubles per layer, at most 8x
  std::int64_t layers = 3;       ///< convolutions of stride 2, before two of stride 1

  /// Side, in pixels, of the input patch behind one score: 70 for three layers.
  constexpr std::int64_t receptive_field() const {
    std::int64_t side = 7;
    for (std::int64_t i = 0; i < layers; ++i) side = 2 * side + 2;
    return side;
  }
};

LIMPID_JSON(PatchGANOptions, in_channels, width, layers)

/// Scores overlapping patches of an image as real or restored.
///
/// Source: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
/// 2017, sec. 3.2.2 and app. 6.1.2; as published with DeblurGAN and Martyniuk's thesis (padding 2,
/// biases everywhere), whose parameter names these are.
/// Differs: raw scores, no sigmoid; instance norm by default, which is what the paper's batch norm
/// amounts to with one image per batch.
///
/// @tparam Norm  follows every convolution but the first and the last.
template <ChannelNorm Norm = torch::nn::InstanceNorm2d>
class PatchGANImpl : public torch::nn::Cloneable<PatchGANImpl<Norm>> {
 public:
  static constexpr std::string_view architecture = "patch";

  /// Smallest image side in pixels.
  static constexpr std::int64_t min_side = 2;

  /// @throws c10::ValueError if any option is below 1.
  explicit PatchGANImpl(PatchGANOptions options = {}) : options_(options) {
    detail::check_at_least("PatchGAN: in_channels", options.in_channels, 1);
    detail::check_at_least("PatchGAN: width", options.width, 1);
    detail::check_at_least("PatchGAN: layers", options.layers, 1);
    reset();
  }

  void reset() override {
    model_ = torch::nn::Sequential();
    auto channels = options_.width;
    add_convolution(options_.in_channels, channels, 2);
    add_leaky_relu();
    for (std::int64_t i = 1; i <= options_.layers; ++i) {
      const auto next = std::min(2 * channels, 8 * options_.width);
      add_convolution(channels, next, i < options_.layers ? 2 : 1);
      model_->push_back(Norm(next));
      add_leaky_relu();
      channels = next;
    }
    add_convolution(channels, 1, 1);
    this->register_module("model", model_);
  }

  /// @param image  (N, in_channels, H, W), values in [-1, 1].
  /// @return       (N, 1, H', W') raw scores, no sigmoid; 35 x 35 for 256 x 256 and three layers.
  /// @throws c10::ValueError if `image` has another shape or is smaller than `min_side`.
  at::Tensor forward(const at::Tensor& image) {
    detail::check_image("PatchGAN", image, options_.in_channels, min_side);
    return model_->forward(image);
  }

  const PatchGANOptions& options() const { return options_; }

 private:
  void add_convolution(std::int64_t in, std::int64_t out, std::int64_t stride) {
    const auto options = torch::nn::Conv2dOptions(in, out, 4).stride(stride).padding(2);
    model_->push_back(Conv2d(options));
  }

  void add_leaky_relu() {
    const auto options = torch::nn::LeakyReLUOptions().negative_slope(0.2).inplace(true);
    model_->push_back(torch::nn::LeakyReLU(options));
  }

  PatchGANOptions options_;
  torch::nn::Sequential model_{nullptr};
};

/// Handle to a `PatchGANImpl`: `PatchGAN<> critic{PatchGANOptions{.width = 32}};`
template <ChannelNorm Norm = torch::nn::InstanceNorm2d>
using PatchGAN = torch::nn::ModuleHolder<PatchGANImpl<Norm>>;

static_assert(Critic<PatchGAN<>>);

}  // namespace limpid
