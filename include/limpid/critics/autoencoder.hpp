#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/upsample_nearest.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string_view>

namespace limpid {

/// Shape of an `Autoencoder` critic.
struct AutoencoderOptions {
  std::int64_t in_channels = 3;  ///< channels of the image
  std::int64_t width = 64;       ///< channels of the first layer; doubles per level
  std::int64_t depth = 2;        ///< levels, each of which halves the sides
};

LIMPID_JSON(AutoencoderOptions, in_channels, width, depth)

/// Reconstructs an image from a smaller one: the critic of BEGAN.
///
/// Source: Berthelot et al., "BEGAN", 2017, sec. 3.5: 3x3 convolutions with ELU, stride 2 on the
/// way down, nearest upsampling on the way up, no norm.
/// Differs: one convolution per scale and no fully connected code, so it takes images of any size;
/// what it cannot reconstruct is what `depth` and `width` do not let through. Parameters are named
/// `model.N`, N the place in the sequence of layers.
class AutoencoderImpl : public torch::nn::Cloneable<AutoencoderImpl> {
 public:
  static constexpr bool reconstructs = true;
  static constexpr std::string_view architecture = "autoencoder";

  /// @throws c10::ValueError if any option is below 1.
  explicit AutoencoderImpl(AutoencoderOptions options = {});

  void reset() override;

  /// @param image  (N, in_channels, H, W), values in [-1, 1], sides of any length.
  /// @return       the same shape. Where a side is no multiple of 2^depth, the reconstruction is
  ///               larger at first, and cropped on the right and at the bottom.
  /// @throws c10::ValueError if `image` has another shape.
  at::Tensor forward(const at::Tensor& image);

  const AutoencoderOptions& options() const { return options_; }

 private:
  void add_convolution(std::int64_t in, std::int64_t out, std::int64_t stride);

  AutoencoderOptions options_;
  torch::nn::Sequential model_{nullptr};
};

/// Handle to an `AutoencoderImpl`: `Autoencoder critic{AutoencoderOptions{.width = 32}};`
TORCH_MODULE(Autoencoder);

static_assert(AutoencoderCritic<Autoencoder>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE AutoencoderImpl::AutoencoderImpl(AutoencoderOptions options) : options_(options) {
  detail::check_at_least("Autoencoder: in_channels", options.in_channels, 1);
  detail::check_at_least("Autoencoder: width", options.width, 1);
  detail::check_at_least("Autoencoder: depth", options.depth, 1);
  reset();
}

LIMPID_INLINE void AutoencoderImpl::reset() {
  model_ = torch::nn::Sequential();
  auto channels = options_.in_channels;
  for (std::int64_t level = 0; level < options_.depth; ++level) {
    const auto next = level == 0 ? options_.width : 2 * channels;
    add_convolution(channels, next, 2);
    model_->push_back(torch::nn::ELU());
    channels = next;
  }
  for (std::int64_t level = options_.depth - 1; level >= 0; --level) {
    const auto next = level == 0 ? options_.in_channels : channels / 2;
    model_->push_back(UpsampleNearest(2));
    add_convolution(channels, next, 1);
    if (level > 0) model_->push_back(torch::nn::ELU());
    channels = next;
  }
  register_module("model", model_);
}

LIMPID_INLINE at::Tensor AutoencoderImpl::forward(const at::Tensor& image) {
  detail::check_image("Autoencoder", image, options_.in_channels);
  return crop_image(model_->forward(image), image.size(2), image.size(3));
}

LIMPID_INLINE void AutoencoderImpl::add_convolution(std::int64_t in, std::int64_t out,
                                                    std::int64_t stride) {
  const auto options = torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1);
  model_->push_back(Conv2d(options));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
