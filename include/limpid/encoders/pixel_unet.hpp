#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/layers/context_gate.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/residual_block.hpp>

#include <ATen/ops/pixel_unshuffle.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/layers/check_features.hpp>
#endif

namespace limpid {

/// Shape of a `PixelUNetEncoder`.
struct PixelUNetEncoderOptions {
  std::int64_t width = 32;  ///< channels at half the image's sides; twice, four times below
  std::array<std::int64_t, 3> blocks = {1, 1, 2};  ///< residual blocks per scale, fine to coarse
  std::int64_t context = 0;  ///< channels through which the means of the whole picture change the
                             ///< coarse map (`ContextGate`); 0: no such change
};

LIMPID_JSON(PixelUNetEncoderOptions, width, blocks, context)

/// What a `PixelUNetEncoder` returns for an image (N, 3, H, W).
struct PixelUNetFeatures {
  at::Tensor fine;    ///< (N, width, H / 2, W / 2)
  at::Tensor middle;  ///< (N, 2 width, H / 4, W / 4)
  at::Tensor coarse;  ///< (N, 4 width, H / 8, W / 8)

  /// All maps, from fine to coarse.
  std::vector<at::Tensor> tensors() const { return {fine, middle, coarse}; }

  /// The coarse map, for what changes it (`Prompted`).
  at::Tensor& coarsest() { return coarse; }
};

/// A small encoder that learns within minutes on a CPU: plain residual blocks at three scales.
///
/// The image enters as four interleaved images of half its sides (pixel unshuffle), so that the
/// finest convolutions cost a quarter. No norm: brightness and contrast pass unchanged. With
/// `context` the means of the whole picture change the coarse map, for damages that a window does
/// not tell from the scene: haze, darkness.
///
/// Source: ours, after Ronneberger et al., "U-Net", MICCAI 2015; Shi et al., "Real-Time Single
/// Image and Video Super-Resolution Using an Efficient Sub-Pixel CNN", CVPR 2016 (pixel shuffle).
class PixelUNetEncoderImpl : public torch::nn::Cloneable<PixelUNetEncoderImpl> {
 public:
  using Features = PixelUNetFeatures;

  static constexpr std::string_view architecture = "pixel-unet";

  /// @throws c10::ValueError if `width` is below 1, or a number of blocks or `context` negative.
  explicit PixelUNetEncoderImpl(PixelUNetEncoderOptions options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in [-1, 1], sides that `padding()` takes.
  /// @throws c10::ValueError if `image` has another shape.
  PixelUNetFeatures forward(const at::Tensor& image);

  /// Sides that are multiples of 8.
  ImagePadding padding() const { return {.multiple = 8, .min_side = 8}; }

  /// How far its coarse features look; the others look less far.
  FieldOfView field_of_view() const;

  const PixelUNetEncoderOptions& options() const { return options_; }

 private:
  PixelUNetEncoderOptions options_;
  Conv2d head_{nullptr}, down1_{nullptr}, down2_{nullptr};
  torch::nn::Sequential fine_{nullptr}, middle_{nullptr}, coarse_{nullptr};
  ContextGate context_{nullptr};
};

/// Handle to a `PixelUNetEncoderImpl`.
TORCH_MODULE(PixelUNetEncoder);

static_assert(Encoder<PixelUNetEncoder>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE PixelUNetEncoderImpl::PixelUNetEncoderImpl(PixelUNetEncoderOptions options)
    : options_(options) {
  detail::check_at_least("PixelUNetEncoder: width", options.width, 1);
  for (const auto count : options.blocks) {
    detail::check_at_least("PixelUNetEncoder: blocks", count, 0);
  }
  detail::check_at_least("PixelUNetEncoder: context", options.context, 0);
  reset();
}

LIMPID_INLINE void PixelUNetEncoderImpl::reset() {
  using namespace torch::nn;
  const auto w = options_.width;
  const auto& blocks = options_.blocks;
  head_ = register_module("head", Conv2d(Conv2dOptions(12, w, 3).padding(1)));
  fine_ = register_module("fine", detail::residual_blocks(blocks[0], w));
  down1_ = register_module("down1", Conv2d(Conv2dOptions(w, 2 * w, 2).stride(2)));
  middle_ = register_module("middle", detail::residual_blocks(blocks[1], 2 * w));
  down2_ = register_module("down2", Conv2d(Conv2dOptions(2 * w, 4 * w, 2).stride(2)));
  coarse_ = register_module("coarse", detail::residual_blocks(blocks[2], 4 * w));
  if (options_.context > 0) {
    context_ = register_module("context", ContextGate(4 * w, options_.context));
  }
}

LIMPID_INLINE PixelUNetFeatures PixelUNetEncoderImpl::forward(const at::Tensor& image) {
  detail::check_padded_image("PixelUNetEncoder", image, padding());
  PixelUNetFeatures features;
  features.fine = detail::through(
      *fine_, head_->forward(detail::laid_like(at::pixel_unshuffle(image, 2), image)));
  features.middle = detail::through(*middle_, down1_->forward(features.fine));
  features.coarse = detail::through(*coarse_, down2_->forward(features.middle));
  if (context_) features.coarse = context_->forward(features.coarse);
  return features;
}

LIMPID_INLINE FieldOfView PixelUNetEncoderImpl::field_of_view() const {
  const auto& blocks = options_.blocks;
  return FieldOfView{.stride = 2}
      .convolved(3, 1, 1 + 2 * blocks[0])
      .convolved(2, 2)
      .convolved(3, 1, 2 * blocks[1])
      .convolved(2, 2)
      .convolved(3, 1, 2 * blocks[2]);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
