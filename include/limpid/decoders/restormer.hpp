#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/encoders/restormer.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/norm_options.hpp>
#include <limpid/layers/residual_block.hpp>
#include <limpid/layers/restormer_block.hpp>
#include <limpid/layers/shuffle_resample.hpp>

#include <ATen/ops/cat.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Shape of a `RestormerDecoder`. The defaults are the published ones.
struct RestormerDecoderOptions {
  std::int64_t width = 48;                       ///< as the encoder's
  std::vector<std::int64_t> blocks = {4, 6, 6};  ///< per level, from fine to coarse; one level
                                                 ///< less than the encoder has
  std::vector<std::int64_t> heads = {1, 2, 4};   ///< of attention, per level
  std::int64_t refinement_blocks = 4;            ///< behind the finest level
  double expansion = 2.66;
  LayerNormKind norm = LayerNormKind::with_bias;

  /// Options of a decoder that reads this encoder's features, with its blocks and heads.
  static RestormerDecoderOptions matching(const RestormerEncoderOptions& encoder);
};

LIMPID_JSON(RestormerDecoderOptions, width, blocks, heads, refinement_blocks, expansion, norm)

/// The ascending half of Restormer: at each level the encoder's map beside the coarser one, brought
/// to the level's width, and blocks; at the finest level both side by side, so twice the width, and
/// refinement.
///
/// Source: Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration",
/// CVPR 2022. Parameters have the published names: `up4_3.body.0`, `reduce_chan_level3`,
/// `decoder_level3.0...`, `refinement.0...`, `output`.
///
/// @tparam Task  names the task: `RestormerDecoder<"deblur">`.
template <FixedString Task>
class RestormerDecoderImpl : public torch::nn::Cloneable<RestormerDecoderImpl<Task>> {
  static_assert(is_task_name(Task), "RestormerDecoder: a task is named by a-z, 0-9, '-' and '_'");

 public:
  static constexpr std::string_view task = Task;
  static constexpr std::string_view architecture = "restormer";
  static constexpr GlobalSkip skip = GlobalSkip::plain;

  /// @throws c10::ValueError if `width` is odd or below 2, there is no level or more than 8, not
  ///         as many `heads`, heads that do not divide their level's channels, or a negative number
  ///         of blocks.
  explicit RestormerDecoderImpl(RestormerDecoderOptions options = {})
      : options_(std::move(options)) {
    detail::check_at_least("RestormerDecoder: width", options_.width, 2);
    detail::check_restormer_levels("RestormerDecoder", options_.blocks.size(), 1, options_.blocks,
                                   options_.heads);
    detail::check_at_least("RestormerDecoder: refinement_blocks", options_.refinement_blocks, 0);
    reset();
  }

  void reset() override {
    using namespace torch::nn;
    const RestormerBlockOptions block{.expansion = options_.expansion, .norm = options_.norm};
    ups_.assign(levels(), ShuffleUp{nullptr});
    reduce_.assign(levels(), Conv2d{nullptr});
    levels_.assign(levels(), Sequential{nullptr});
    for (std::size_t i = levels(); i-- > 0;) {
      const auto level = std::to_string(i + 1), coarser = std::to_string(i + 2);
      const auto channels = options_.width << i;
      ups_[i] = this->register_module("up" + coarser + "_" + level, ShuffleUp(2 * channels));
      if (i > 0) {
        reduce_[i] =
            this->register_module("reduce_chan_level" + level,
                                  Conv2d(Conv2dOptions(2 * channels, channels, 1).bias(false)));
      }
      levels_[i] = this->register_module(
          "decoder_level" + level,
          detail::restormer_blocks(options_.blocks[i], channels_of(i), options_.heads[i], block));
    }
    refinement_ = this->register_module(
        "refinement", detail::restormer_blocks(options_.refinement_blocks, channels_of(0),
                                               options_.heads[0], block));
    output_ = this->register_module(
        "output", Conv2d(Conv2dOptions(channels_of(0), 3, 3).padding(1).bias(false)));
  }

  /// @param features  of a `RestormerEncoder` of the same width and one level more.
  /// @return          what is added to the degraded image, (N, 3, H, W), unbounded.
  /// @throws c10::ValueError if `features` come from an encoder of another shape.
  at::Tensor forward(const RestormerFeatures& features) {
    TORCH_CHECK_VALUE(features.skips.size() == levels(), "RestormerDecoder: expected skips of ",
                      levels(), " levels, got ", features.skips.size());
    detail::check_features("RestormerDecoder", "bottom", features.bottom, coarsest_channels());
    auto map = features.bottom;
    for (std::size_t i = levels(); i-- > 0;) {
      detail::check_features("RestormerDecoder", "skip", features.skips[i], options_.width << i);
      map = at::cat({ups_[i]->forward(map), features.skips[i]}, 1);
      if (i > 0) map = reduce_[i]->forward(map);
      map = detail::through(*levels_[i], map);
    }
    return output_->forward(detail::through(*refinement_, map));
  }

  /// How far the restored picture looks, apart from attention, which looks at whole maps.
  /// @param features  how far the bottom ones look
  FieldOfView field_of_view(const FieldOfView& features) const {
    auto view = features;
    for (std::size_t i = levels(); i-- > 0;) {
      view = detail::view_of_restormer_blocks(view.convolved(3).upsampled(2), options_.blocks[i]);
    }
    return detail::view_of_restormer_blocks(view, options_.refinement_blocks).convolved(3);
  }

  /// Channels of the coarsest map that it reads.
  std::int64_t coarsest_channels() const { return options_.width << levels(); }

  const RestormerDecoderOptions& options() const { return options_; }

 private:
  std::size_t levels() const { return options_.blocks.size(); }

  /// Channels of the blocks of level `i`; the finest has both maps side by side.
  std::int64_t channels_of(std::size_t i) const { return options_.width << (i == 0 ? 1 : i); }

  RestormerDecoderOptions options_;
  std::vector<ShuffleUp> ups_;
  std::vector<Conv2d> reduce_;
  std::vector<torch::nn::Sequential> levels_;
  torch::nn::Sequential refinement_{nullptr};
  Conv2d output_{nullptr};
};

/// Handle to a `RestormerDecoderImpl`.
template <FixedString Task>
using RestormerDecoder = torch::nn::ModuleHolder<RestormerDecoderImpl<Task>>;

static_assert(DecoderFor<RestormerDecoder<"any">, RestormerEncoder>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE RestormerDecoderOptions
RestormerDecoderOptions::matching(const RestormerEncoderOptions& encoder) {
  const auto but_last = [](std::vector<std::int64_t> values) {
    if (!values.empty()) values.pop_back();
    return values;
  };
  return {.width = encoder.width,
          .blocks = but_last(encoder.blocks),
          .heads = but_last(encoder.heads),
          .expansion = encoder.expansion,
          .norm = encoder.norm};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
