#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>

#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/pixel_unshuffle.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/memory_format.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Half the sides, twice the channels: a 3x3 convolution to half the channels, then four
/// interleaved maps of half the sides (pixel unshuffle). No bias.
///
/// Source: Zamir et al., Restormer, CVPR 2022; Shi et al., CVPR 2016. The parameter is called
/// `body.0.weight`, as published.
class ShuffleDownImpl : public torch::nn::Cloneable<ShuffleDownImpl> {
 public:
  /// @param channels  of the input; even.
  /// @throws c10::ValueError if they are odd or below 2.
  explicit ShuffleDownImpl(std::int64_t channels);

  void reset() override;

  /// @param input  (N, channels, H, W), even sides.
  /// @return       (N, 2 channels, H / 2, W / 2).
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t channels_;
  torch::nn::Sequential body_{nullptr};
};

TORCH_MODULE(ShuffleDown);

/// Twice the sides, half the channels: a 3x3 convolution to twice the channels, then four maps
/// become one of twice the sides (pixel shuffle). No bias.
///
/// Source: as `ShuffleDown`.
class ShuffleUpImpl : public torch::nn::Cloneable<ShuffleUpImpl> {
 public:
  /// @param channels  of the input; even.
  /// @throws c10::ValueError if they are odd or below 2.
  explicit ShuffleUpImpl(std::int64_t channels);

  void reset() override;

  /// @param input  (N, channels, H, W).
  /// @return       (N, channels / 2, 2 H, 2 W).
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t channels_;
  torch::nn::Sequential body_{nullptr};
};

TORCH_MODULE(ShuffleUp);

static_assert(ImageModule<ShuffleDown> && ImageModule<ShuffleUp>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ShuffleDownImpl::ShuffleDownImpl(std::int64_t channels) : channels_(channels) {
  detail::check_at_least("ShuffleDown: channels", channels, 2);
  TORCH_CHECK_VALUE(channels % 2 == 0, "ShuffleDown: expected even channels, got ", channels);
  reset();
}

LIMPID_INLINE void ShuffleDownImpl::reset() {
  const auto options = torch::nn::Conv2dOptions(channels_, channels_ / 2, 3).padding(1).bias(false);
  body_ = register_module("body", torch::nn::Sequential(Conv2d(options)));
}

LIMPID_INLINE at::Tensor ShuffleDownImpl::forward(const at::Tensor& input) {
  return detail::laid_like(at::pixel_unshuffle(body_->forward(input), 2), input);
}

LIMPID_INLINE ShuffleUpImpl::ShuffleUpImpl(std::int64_t channels) : channels_(channels) {
  detail::check_at_least("ShuffleUp: channels", channels, 2);
  TORCH_CHECK_VALUE(channels % 2 == 0, "ShuffleUp: expected even channels, got ", channels);
  reset();
}

LIMPID_INLINE void ShuffleUpImpl::reset() {
  const auto options = torch::nn::Conv2dOptions(channels_, 2 * channels_, 3).padding(1).bias(false);
  body_ = register_module("body", torch::nn::Sequential(Conv2d(options)));
}

LIMPID_INLINE at::Tensor ShuffleUpImpl::forward(const at::Tensor& input) {
  return detail::laid_like(at::pixel_shuffle(body_->forward(input), 2), input);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
