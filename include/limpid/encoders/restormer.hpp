#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/norm_options.hpp>
#include <limpid/layers/residual_block.hpp>
#include <limpid/layers/restormer_block.hpp>
#include <limpid/layers/shuffle_resample.hpp>

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
#include <limpid/layers/options_json.hpp>
#endif

namespace limpid {

/// Shape of a `RestormerEncoder`. The defaults are the published ones.
struct RestormerEncoderOptions {
  std::int64_t width = 48;                          ///< channels at the image's own size; even
  std::vector<std::int64_t> blocks = {4, 6, 6, 8};  ///< per level, from fine to coarse
  std::vector<std::int64_t> heads = {1, 2, 4, 8};   ///< of attention, per level
  double expansion = 2.66;                        ///< hidden channels of a feed-forward per channel
  LayerNormKind norm = LayerNormKind::with_bias;  ///< published for denoising: bias_free
  ValueRange range = ValueRange::unit_range;  ///< as published: no convolution has a bias, so that
                                              ///< zeros stay what they are, black
};

LIMPID_JSON(RestormerEncoderOptions, width, blocks, heads, expansion, norm, range)

/// What a `RestormerEncoder` returns for an image (N, 3, H, W), L levels.
struct RestormerFeatures {
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

/// @throws c10::ValueError if there are no levels or too many, or not one `heads` for each.
LIMPID_INLINE void check_restormer_levels(const std::string& component, std::size_t levels,
                                          std::size_t least,
                                          const std::vector<std::int64_t>& blocks,
                                          const std::vector<std::int64_t>& heads);

}  // namespace detail

/// The descending half of Restormer, with its latent level: what tasks share.
///
/// Source: Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration",
/// CVPR 2022. Parameters have the published names: `patch_embed.proj`, `encoder_level1.0...`,
/// `down1_2.body.0`, `latent.0...`
class RestormerEncoderImpl : public torch::nn::Cloneable<RestormerEncoderImpl> {
 public:
  using Features = RestormerFeatures;

  static constexpr std::string_view architecture = "restormer";

  /// @throws c10::ValueError if `width` is odd or below 2, there are fewer than 2 levels or more
  ///         than 8, not as many `heads`, heads that do not divide their level's channels, or a
  ///         negative number of blocks.
  explicit RestormerEncoderImpl(RestormerEncoderOptions options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in `range()`, sides that `padding()` takes.
  /// @throws c10::ValueError if `image` has another shape.
  RestormerFeatures forward(const at::Tensor& image);

  /// Sides that are multiples of 2^(levels - 1), by reflection: 8 as published.
  ImagePadding padding() const;

  /// How far its bottom features look, apart from attention, which looks at whole maps; the skips
  /// look less far.
  FieldOfView field_of_view() const;

  /// The values that it takes, and in which its decoder's output is added to them.
  ValueRange range() const { return options_.range; }

  const RestormerEncoderOptions& options() const { return options_; }

 private:
  torch::nn::Sequential blocks_of(std::size_t level, std::int64_t channels,
                                  const RestormerBlockOptions& block) const;

  RestormerEncoderOptions options_;
  torch::nn::Sequential patch_embed_{nullptr}, latent_{nullptr};
  std::vector<torch::nn::Sequential> levels_;
  std::vector<ShuffleDown> downs_;
};

/// Handle to a `RestormerEncoderImpl`.
TORCH_MODULE(RestormerEncoder);

static_assert(Encoder<RestormerEncoder>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void check_restormer_levels(const std::string& component, std::size_t levels,
                                          std::size_t least,
                                          const std::vector<std::int64_t>& blocks,
                                          const std::vector<std::int64_t>& heads) {
  TORCH_CHECK_VALUE(levels >= least && levels <= 8, component, ": expected ", least,
                    " to 8 levels of blocks, got ", levels);
  TORCH_CHECK_VALUE(heads.size() == levels, component, ": expected heads for each of ", levels,
                    " levels, got ", heads.size());
  for (const auto count : blocks) check_at_least(component + ": blocks", count, 0);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE RestormerEncoderImpl::RestormerEncoderImpl(RestormerEncoderOptions options)
    : options_(std::move(options)) {
  detail::check_at_least("RestormerEncoder: width", options_.width, 2);
  detail::check_restormer_levels("RestormerEncoder", options_.blocks.size(), 2, options_.blocks,
                                 options_.heads);
  reset();
}

LIMPID_INLINE void RestormerEncoderImpl::reset() {
  using namespace torch::nn;
  const RestormerBlockOptions block{.expansion = options_.expansion, .norm = options_.norm};
  auto channels = options_.width;
  Sequential embed;
  embed->push_back("proj", Conv2d(Conv2dOptions(3, channels, 3).padding(1).bias(false)));
  patch_embed_ = register_module("patch_embed", embed);
  levels_.clear();
  downs_.clear();
  for (std::size_t i = 0; i + 1 < options_.blocks.size(); ++i) {
    const auto level = std::to_string(i + 1), next = std::to_string(i + 2);
    levels_.push_back(register_module("encoder_level" + level, blocks_of(i, channels, block)));
    downs_.push_back(register_module("down" + level + "_" + next, ShuffleDown(channels)));
    channels *= 2;
  }
  latent_ = register_module("latent", blocks_of(options_.blocks.size() - 1, channels, block));
}

LIMPID_INLINE RestormerFeatures RestormerEncoderImpl::forward(const at::Tensor& image) {
  detail::check_padded_image("RestormerEncoder", image, padding());
  RestormerFeatures features;
  auto map = patch_embed_->forward(image);
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    map = detail::through(*levels_[i], map);
    features.skips.push_back(map);
    map = downs_[i]->forward(map);
  }
  features.bottom = detail::through(*latent_, map);
  return features;
}

LIMPID_INLINE ImagePadding RestormerEncoderImpl::padding() const {
  const auto multiple = std::int64_t{1} << (options_.blocks.size() - 1);
  return {.multiple = multiple, .min_side = multiple};
}

LIMPID_INLINE FieldOfView RestormerEncoderImpl::field_of_view() const {
  auto view = FieldOfView{}.convolved(3);
  for (std::size_t i = 0; i + 1 < options_.blocks.size(); ++i) {
    view = detail::view_of_restormer_blocks(view, options_.blocks[i]).convolved(3).convolved(2, 2);
  }
  return detail::view_of_restormer_blocks(view, options_.blocks.back());
}

LIMPID_INLINE torch::nn::Sequential RestormerEncoderImpl::blocks_of(
    std::size_t level, std::int64_t channels, const RestormerBlockOptions& block) const {
  return detail::restormer_blocks(options_.blocks[level], channels, options_.heads[level], block);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
