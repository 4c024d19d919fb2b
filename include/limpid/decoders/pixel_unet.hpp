#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/encoders/pixel_unet.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/residual_block.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/pixel_shuffle.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace limpid {

/// Shape of a `PixelUNetDecoder`.
struct PixelUNetDecoderOptions {
  std::int64_t width = 32;                         ///< as the encoder's
  std::array<std::int64_t, 3> blocks = {1, 1, 1};  ///< residual blocks per scale, fine to coarse

  /// Options of a decoder that reads this encoder's features.
  static PixelUNetDecoderOptions matching(const PixelUNetEncoderOptions& encoder) {
    return {.width = encoder.width};
  }
};

LIMPID_JSON(PixelUNetDecoderOptions, width, blocks)

/// The decoder of a `PixelUNetEncoder`: residual blocks at each scale, coarse to fine, each scale
/// upsampled by a pixel shuffle and added to the encoder's map of the next.
///
/// The last convolution starts at zero, so that training starts from the degraded image itself.
/// Nothing bounds the output and the global skip does not clamp: a clamp would stop the gradient
/// wherever the restored image leaves [-1, 1].
///
/// @tparam Task  names the task: `PixelUNetDecoder<"deblur">`.
template <FixedString Task>
class PixelUNetDecoderImpl : public torch::nn::Cloneable<PixelUNetDecoderImpl<Task>> {
  static_assert(is_task_name(Task), "PixelUNetDecoder: a task is named by a-z, 0-9, '-' and '_'");

 public:
  static constexpr std::string_view task = Task;
  static constexpr std::string_view architecture = "pixel-unet";
  static constexpr GlobalSkip skip = GlobalSkip::plain;

  /// @throws c10::ValueError if `width` is below 1 or a number of blocks is negative.
  explicit PixelUNetDecoderImpl(PixelUNetDecoderOptions options = {}) : options_(options) {
    detail::check_at_least("PixelUNetDecoder: width", options.width, 1);
    for (const auto count : options.blocks) {
      detail::check_at_least("PixelUNetDecoder: blocks", count, 0);
    }
    reset();
  }

  void reset() override {
    using namespace torch::nn;
    const auto w = options_.width;
    const auto& blocks = options_.blocks;
    coarse_ = this->register_module("coarse", detail::residual_blocks(blocks[2], 4 * w));
    up2_ = this->register_module("up2", Conv2d(Conv2dOptions(4 * w, 8 * w, 1)));
    middle_ = this->register_module("middle", detail::residual_blocks(blocks[1], 2 * w));
    up1_ = this->register_module("up1", Conv2d(Conv2dOptions(2 * w, 4 * w, 1)));
    fine_ = this->register_module("fine", detail::residual_blocks(blocks[0], w));
    tail_ = this->register_module("tail", Conv2d(Conv2dOptions(w, 12, 3).padding(1)));
    init::zeros_(tail_->weight);
    init::zeros_(tail_->bias);
  }

  /// @param features  of a `PixelUNetEncoder` of the same width.
  /// @return          what is added to the degraded image, (N, 3, H, W), unbounded.
  /// @throws c10::ValueError if `features` come from an encoder of another width.
  at::Tensor forward(const PixelUNetFeatures& features) {
    const auto w = options_.width;
    detail::check_features("PixelUNetDecoder", "fine", features.fine, w);
    detail::check_features("PixelUNetDecoder", "middle", features.middle, 2 * w);
    detail::check_features("PixelUNetDecoder", "coarse", features.coarse, 4 * w);
    auto map = detail::through(*coarse_, features.coarse);
    map = features.middle + shuffled_like(features.middle, up2_->forward(map));
    map = detail::through(*middle_, map);
    map = features.fine + shuffled_like(features.fine, up1_->forward(map));
    return shuffled_like(map, tail_->forward(detail::through(*fine_, map)));
  }

  /// How far the restored picture looks.
  /// @param features  how far the coarse ones look
  FieldOfView field_of_view(const FieldOfView& features) const {
    const auto& blocks = options_.blocks;
    return features.convolved(3, 1, 2 * blocks[2])
        .upsampled(2)
        .convolved(3, 1, 2 * blocks[1])
        .upsampled(2)
        .convolved(3, 1, 2 * blocks[0] + 1)
        .upsampled(2);
  }

  /// Channels of the coarsest map that it reads.
  std::int64_t coarsest_channels() const { return 4 * options_.width; }

  const PixelUNetDecoderOptions& options() const { return options_; }

 private:
  /// Twice as large, of a quarter of the channels; in memory as `like` is.
  static at::Tensor shuffled_like(const at::Tensor& like, const at::Tensor& map) {
    return detail::laid_like(at::pixel_shuffle(map, 2), like);
  }

  PixelUNetDecoderOptions options_;
  Conv2d up2_{nullptr}, up1_{nullptr}, tail_{nullptr};
  torch::nn::Sequential coarse_{nullptr}, middle_{nullptr}, fine_{nullptr};
};

/// Handle to a `PixelUNetDecoderImpl`.
template <FixedString Task>
using PixelUNetDecoder = torch::nn::ModuleHolder<PixelUNetDecoderImpl<Task>>;

static_assert(DecoderFor<PixelUNetDecoder<"any">, PixelUNetEncoder>);

}  // namespace limpid
