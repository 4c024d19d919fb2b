#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/encoders/gunet.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/gated_conv_block.hpp>
#include <limpid/layers/norm_options.hpp>
#include <limpid/layers/residual_block.hpp>
#include <limpid/layers/sk_fusion.hpp>

#include <ATen/ops/pixel_shuffle.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// Shape of a `GUNetDecoder`. The defaults are gUNet-T's, but for the norm.
struct GUNetDecoderOptions {
  std::int64_t width = 24;                       ///< as the encoder's
  std::vector<std::int64_t> blocks = {2, 2, 2};  ///< per level, from fine to coarse; one level
                                                 ///< less than the encoder has
  std::int64_t kernel = 5;
  NormKind norm = NormKind::layer;

  /// Options of a decoder that reads this encoder's features, with its blocks.
  static GUNetDecoderOptions matching(const GUNetEncoderOptions& encoder) {
    auto blocks = encoder.blocks;
    if (!blocks.empty()) blocks.pop_back();
    return {.width = encoder.width,
            .blocks = std::move(blocks),
            .kernel = encoder.kernel,
            .norm = encoder.norm};
  }
};

LIMPID_JSON(GUNetDecoderOptions, width, blocks, kernel, norm)

/// The ascending half of gUNet: pixel shuffles, each fused with the encoder's skip, gated blocks,
/// one convolution.
///
/// Source: Song et al., "Rethinking Performance Gains in Image Dehazing Networks", 2022
/// (arXiv:2209.11448). `maps::gunet` leads to the published names.
///
/// @tparam Task  names the task: `GUNetDecoder<"dehaze">`.
template <FixedString Task>
class GUNetDecoderImpl : public torch::nn::Cloneable<GUNetDecoderImpl<Task>> {
  static_assert(is_task_name(Task), "GUNetDecoder: a task is named by a-z, 0-9, '-' and '_'");

 public:
  static constexpr std::string_view task = Task;
  static constexpr std::string_view architecture = "gunet";
  static constexpr GlobalSkip skip = GlobalSkip::plain;

  /// @throws c10::ValueError if `width` is below 1, there is no level or more than 8, a number of
  ///         blocks is negative, or the kernel is even or below 1.
  explicit GUNetDecoderImpl(GUNetDecoderOptions options = {}) : options_(std::move(options)) {
    detail::check_gunet("GUNetDecoder", options_.width, 1, options_.blocks);
    reset();
  }

  void reset() override {
    using namespace torch::nn;
    const GatedConvOptions block{
        .kernel = options_.kernel, .norm = options_.norm, .network_depth = network_depth()};
    layers_ = this->register_module("layers", ModuleList());
    ups_ = this->register_module("ups", ModuleList());
    fusions_ = this->register_module("fusions", ModuleList());
    for (std::size_t i = 0; i < levels(); ++i) {
      const auto channels = options_.width << i;
      ups_->push_back(
          Sequential(Conv2d(Conv2dOptions(2 * channels, 4 * channels, 1)), PixelShuffle(2)));
      fusions_->push_back(SKFusion(channels));
      // From coarse to fine, as files number them.
      const auto level = levels() - 1 - i;
      layers_->push_back(
          detail::gated_conv_blocks(options_.blocks[level], options_.width << level, block));
    }
    outconv_ = this->register_module("outconv", Conv2d(Conv2dOptions(options_.width, 3, 3)));
  }

  /// @param features  of a `GUNetEncoder` of the same width and one level more.
  /// @return          what is added to the degraded image, (N, 3, H, W), unbounded.
  /// @throws c10::ValueError if `features` come from an encoder of another shape.
  at::Tensor forward(const GUNetFeatures& features) {
    TORCH_CHECK_VALUE(features.skips.size() == levels(), "GUNetDecoder: expected skips of ",
                      levels(), " levels, got ", features.skips.size());
    detail::check_features("GUNetDecoder", "bottom", features.bottom, coarsest_channels());
    auto map = features.bottom;
    for (std::size_t i = levels(); i-- > 0;) {
      const auto& skip_map = features.skips[i];
      detail::check_features("GUNetDecoder", "skip", skip_map, options_.width << i);
      map = ups_->at<torch::nn::SequentialImpl>(i).forward(map);
      map = fusions_->at<SKFusionImpl>(i).forward(map, skip_map);
      map = detail::through(*layers_->ptr<torch::nn::SequentialImpl>(levels() - 1 - i), map);
    }
    return outconv_->forward(detail::reflection_pad(map, {1, 1, 1, 1}));
  }

  /// How far the restored picture looks, apart from means over whole maps.
  /// @param features  how far the bottom ones look
  FieldOfView field_of_view(const FieldOfView& features) const {
    auto view = features;
    for (std::size_t i = levels(); i-- > 0;) {
      view = view.upsampled(2).convolved(options_.kernel, 1, options_.blocks[i]);
    }
    return view.convolved(3);
  }

  /// Channels of the coarsest map that it reads.
  std::int64_t coarsest_channels() const { return options_.width << levels(); }

  const GUNetDecoderOptions& options() const { return options_; }

 private:
  std::size_t levels() const { return options_.blocks.size(); }

  /// Blocks of the whole network as published: as many at each level of the encoder, and twice as
  /// many at the coarsest.
  std::int64_t network_depth() const {
    const auto& blocks = options_.blocks;
    const auto sum = std::accumulate(blocks.begin(), blocks.end(), std::int64_t{0});
    return std::max<std::int64_t>(1, 2 * sum + 2 * blocks.back());
  }

  GUNetDecoderOptions options_;
  torch::nn::ModuleList layers_{nullptr}, ups_{nullptr}, fusions_{nullptr};
  Conv2d outconv_{nullptr};
};

/// Handle to a `GUNetDecoderImpl`.
template <FixedString Task>
using GUNetDecoder = torch::nn::ModuleHolder<GUNetDecoderImpl<Task>>;

static_assert(DecoderFor<GUNetDecoder<"any">, GUNetEncoder>);

}  // namespace limpid
