#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/gated_conv_block.hpp>
#include <limpid/layers/norm_options.hpp>
#include <limpid/layers/residual_block.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/layers/check_features.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <numeric>
#endif

namespace limpid {

/// Shape of a `GUNetEncoder`. The defaults are gUNet-T's, but for the norm; S, B and D have two,
/// four and eight times as many blocks.
struct GUNetEncoderOptions {
  std::int64_t width = 24;                          ///< channels at the image's own size
  std::vector<std::int64_t> blocks = {2, 2, 2, 4};  ///< per level, from fine to coarse
  std::int64_t kernel = 5;                          ///< side of the depthwise convolutions; odd
  NormKind norm = NormKind::layer;  ///< published: batch, which wants batches of 16 pictures of one
                                    ///< task or more
};

LIMPID_JSON(GUNetEncoderOptions, width, blocks, kernel, norm)

/// What a `GUNetEncoder` returns for an image (N, 3, H, W), L levels.
struct GUNetFeatures {
  at::Tensor bottom;              ///< (N, 2^(L-1) width, H / 2^(L-1), W / 2^(L-1))
  std::vector<at::Tensor> skips;  ///< L - 1 maps (N, 2^i width, H / 2^i, W / 2^i), i = 0 ... L - 2

  /// All maps, from fine to coarse.
  std::vector<at::Tensor> tensors() const {
    auto maps = skips;
    maps.push_back(bottom);
    return maps;
  }

  /// The bottom map, for what changes it (`Prompted`).
  at::Tensor& coarsest() { return bottom; }
};

namespace detail {

/// @throws c10::ValueError if `width` is below 1, there are no levels or too many, or a number of
///         blocks is negative.
LIMPID_INLINE void check_gunet(const std::string& component, std::int64_t width, std::size_t least,
                               const std::vector<std::int64_t>& blocks);

}  // namespace detail

/// The descending half of gUNet, with its coarsest level and the 1x1 convolutions of its skips.
///
/// Source: Song et al., "Rethinking Performance Gains in Image Dehazing Networks", 2022
/// (arXiv:2209.11448). `maps::gunet` leads to the published names.
/// Differs: layer norm instead of batch norm unless asked for: batches here are small, and tasks
/// take turns.
class GUNetEncoderImpl : public torch::nn::Cloneable<GUNetEncoderImpl> {
 public:
  using Features = GUNetFeatures;

  static constexpr std::string_view architecture = "gunet";

  /// @throws c10::ValueError if `width` is below 1, there are fewer than 2 levels or more than 8,
  ///         a number of blocks is negative, or the kernel is even or below 1.
  explicit GUNetEncoderImpl(GUNetEncoderOptions options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in [-1, 1], sides that `padding()` takes.
  /// @throws c10::ValueError if `image` has another shape.
  GUNetFeatures forward(const at::Tensor& image);

  /// Sides that are multiples of 2^(levels - 1), and large enough for the coarsest level to be
  /// reflected at its borders: 24 pixels as published.
  ImagePadding padding() const;

  /// How far its bottom features look; the skips look less far.
  FieldOfView field_of_view() const;

  const GUNetEncoderOptions& options() const { return options_; }

 private:
  /// Blocks of the whole network, whose decoder has as many at each level.
  std::int64_t network_depth() const;

  GUNetEncoderOptions options_;
  Conv2d inconv_{nullptr};
  torch::nn::ModuleList layers_{nullptr}, downs_{nullptr}, skips_{nullptr};
};

/// Handle to a `GUNetEncoderImpl`.
TORCH_MODULE(GUNetEncoder);

static_assert(Encoder<GUNetEncoder>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void check_gunet(const std::string& component, std::int64_t width, std::size_t least,
                               const std::vector<std::int64_t>& blocks) {
  check_at_least(component + ": width", width, 1);
  TORCH_CHECK_VALUE(blocks.size() >= least && blocks.size() <= 8, component, ": expected ", least,
                    " to 8 levels of blocks, got ", blocks.size());
  for (const auto count : blocks) check_at_least(component + ": blocks", count, 0);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE GUNetEncoderImpl::GUNetEncoderImpl(GUNetEncoderOptions options)
    : options_(std::move(options)) {
  detail::check_gunet("GUNetEncoder", options_.width, 2, options_.blocks);
  reset();
}

LIMPID_INLINE void GUNetEncoderImpl::reset() {
  using namespace torch::nn;
  const auto& blocks = options_.blocks;
  const GatedConvOptions block{
      .kernel = options_.kernel, .norm = options_.norm, .network_depth = network_depth()};
  auto channels = options_.width;
  inconv_ = register_module("inconv", Conv2d(Conv2dOptions(3, channels, 3)));
  layers_ = register_module("layers", ModuleList());
  downs_ = register_module("downs", ModuleList());
  skips_ = register_module("skips", ModuleList());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    layers_->push_back(detail::gated_conv_blocks(blocks[i], channels, block));
    if (i + 1 == blocks.size()) break;
    downs_->push_back(Conv2d(Conv2dOptions(channels, 2 * channels, 2).stride(2)));
    skips_->push_back(Conv2d(Conv2dOptions(channels, channels, 1)));
    channels *= 2;
  }
}

LIMPID_INLINE GUNetFeatures GUNetEncoderImpl::forward(const at::Tensor& image) {
  detail::check_padded_image("GUNetEncoder", image, padding());
  GUNetFeatures features;
  auto map = inconv_->forward(detail::reflection_pad(image, {1, 1, 1, 1}));
  for (std::size_t i = 0; i < options_.blocks.size(); ++i) {
    map = detail::through(*layers_->ptr<torch::nn::SequentialImpl>(i), map);
    if (i + 1 == options_.blocks.size()) break;
    features.skips.push_back(skips_->at<Conv2dImpl>(i).forward(map));
    map = downs_->at<Conv2dImpl>(i).forward(map);
  }
  features.bottom = map;
  return features;
}

LIMPID_INLINE ImagePadding GUNetEncoderImpl::padding() const {
  const auto multiple = std::int64_t{1} << (options_.blocks.size() - 1);
  return {.multiple = multiple, .min_side = multiple * (options_.kernel / 2 + 1)};
}

LIMPID_INLINE FieldOfView GUNetEncoderImpl::field_of_view() const {
  auto view = FieldOfView{}.convolved(3);
  for (std::size_t i = 0; i + 1 < options_.blocks.size(); ++i) {
    view = view.convolved(options_.kernel, 1, options_.blocks[i]).convolved(2, 2);
  }
  return view.convolved(options_.kernel, 1, options_.blocks.back());
}

LIMPID_INLINE std::int64_t GUNetEncoderImpl::network_depth() const {
  const auto& blocks = options_.blocks;
  const auto sum = std::accumulate(blocks.begin(), blocks.end(), std::int64_t{0});
  return std::max<std::int64_t>(1, 2 * sum - blocks.back());
}

}  // namespace limpid

#endif  // LIMPID_BODIES
