#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/spectral_norm.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

/// Shape of a `UNetCritic`.
struct UNetCriticOptions {
  std::int64_t in_channels = 3;  ///< channels of the judged image
  std::int64_t width = 64;       ///< channels at full resolution; doubles per level, three times
  bool skips = true;             ///< whether the way up adds the maps of the way down
};

LIMPID_JSON(UNetCriticOptions, in_channels, width, skips)

/// Scores every pixel, from what is around it and from a coarse view of the whole.
///
/// Source: Schönfeld et al., "A U-Net Based Discriminator for Generative Adversarial Networks",
/// CVPR 2020; in the form, and under the parameter names, of Wang et al., "Real-ESRGAN", ICCV
/// Workshops 2021, sec. 3.3 (`UNetDiscriminatorSN`): spectral norm on all convolutions but the
/// first and the last, bilinear upsampling, maps added, LeakyReLU 0.2.
/// Differs: from Schönfeld et al., there is no score of the whole image beside those of its pixels,
/// and no mixed images; from both, it takes sides that are no multiples of 8. Real-ESRGAN's
/// published weights judge images in [0, 1].
class UNetCriticImpl : public torch::nn::Cloneable<UNetCriticImpl> {
 public:
  static constexpr std::string_view architecture = "unet";

  /// Smallest image side in pixels.
  static constexpr std::int64_t min_side = 8;

  /// @throws c10::ValueError if a size is below 1.
  explicit UNetCriticImpl(UNetCriticOptions options = {});

  void reset() override;

  /// @param image  (N, in_channels, H, W), values in [-1, 1].
  /// @return       (N, 1, H, W) raw scores, no sigmoid.
  /// @throws c10::ValueError if `image` has another shape or is smaller than `min_side`.
  at::Tensor forward(const at::Tensor& image);

  const UNetCriticOptions& options() const { return options_; }

 private:
  static constexpr double kSlope = 0.2;

  at::Tensor convolved(std::size_t number, const at::Tensor& map);

  at::Tensor joined(const at::Tensor& map, const at::Tensor& finer) const;

  /// Brought to the sides of the map that it left: twice as large, or one pixel more.
  static at::Tensor enlarged(const at::Tensor& map, const at::Tensor& finer);

  UNetCriticOptions options_;
  Conv2d first_{nullptr}, last_{nullptr};
  std::array<SpectralConv2d, 8> normed_{nullptr, nullptr, nullptr, nullptr,
                                        nullptr, nullptr, nullptr, nullptr};
};

/// Handle to a `UNetCriticImpl`: `UNetCritic critic{UNetCriticOptions{.width = 32}};`
TORCH_MODULE(UNetCritic);

static_assert(Critic<UNetCritic>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE UNetCriticImpl::UNetCriticImpl(UNetCriticOptions options) : options_(options) {
  detail::check_at_least("UNetCritic: in_channels", options.in_channels, 1);
  detail::check_at_least("UNetCritic: width", options.width, 1);
  reset();
}

LIMPID_INLINE void UNetCriticImpl::reset() {
  const auto w = options_.width;
  const auto plain = [this](const char* name, std::int64_t in, std::int64_t out) {
    return register_module(name, Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1)));
  };
  const auto spectral = [&](std::size_t number, std::int64_t in, std::int64_t out,
                            std::int64_t stride) {
    normed_[number - 1] =
        register_module("conv" + std::to_string(number),
                        SpectralConv2d(SpectralConv2dOptions{.in = in,
                                                             .out = out,
                                                             .kernel = stride == 2 ? 4 : 3,
                                                             .stride = stride,
                                                             .padding = 1,
                                                             .bias = false}));
  };
  first_ = plain("conv0", options_.in_channels, w);
  spectral(1, w, 2 * w, 2);
  spectral(2, 2 * w, 4 * w, 2);
  spectral(3, 4 * w, 8 * w, 2);
  spectral(4, 8 * w, 4 * w, 1);
  spectral(5, 4 * w, 2 * w, 1);
  spectral(6, 2 * w, w, 1);
  spectral(7, w, w, 1);
  spectral(8, w, w, 1);
  last_ = plain("conv9", w, 1);
}

LIMPID_INLINE at::Tensor UNetCriticImpl::forward(const at::Tensor& image) {
  detail::check_image("UNetCritic", image, options_.in_channels, min_side);
  const auto full = at::leaky_relu(first_->forward(image), kSlope);
  const auto half = convolved(1, full);
  const auto quarter = convolved(2, half);
  auto map = convolved(4, enlarged(convolved(3, quarter), quarter));
  map = convolved(5, enlarged(joined(map, quarter), half));
  map = convolved(6, enlarged(joined(map, half), full));
  map = convolved(8, convolved(7, joined(map, full)));
  return last_->forward(map);
}

LIMPID_INLINE at::Tensor UNetCriticImpl::convolved(std::size_t number, const at::Tensor& map) {
  return at::leaky_relu(normed_[number - 1]->forward(map), kSlope);
}

LIMPID_INLINE at::Tensor UNetCriticImpl::joined(const at::Tensor& map,
                                                const at::Tensor& finer) const {
  return options_.skips ? map + finer : map;
}

LIMPID_INLINE at::Tensor UNetCriticImpl::enlarged(const at::Tensor& map, const at::Tensor& finer) {
  return at::upsample_bilinear2d(map, finer.sizes().slice(2), /*align_corners=*/false);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
