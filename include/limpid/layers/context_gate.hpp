#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/local_mean.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Tells each pixel of a map what the whole picture is like: every channel is scaled and shifted by
/// what a small network makes of the means of all channels.
///
/// Convolutions see a window; how dense haze is, which colour its light has and how dark a picture
/// was taken are told by the whole. The last convolution starts at zero, so that a network that
/// gets one is the same at first and can go on training.
/// Source: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018; Perez et al., "FiLM", AAAI 2018
/// (scale and shift).
/// Differs: a scale around one without a sigmoid. A picture that is restored in tiles has the means
/// of the whole picture in each (`core/whole_maps.hpp`).
class ContextGateImpl : public torch::nn::Cloneable<ContextGateImpl> {
 public:
  /// @param channels  of the map
  /// @param hidden    of the small network
  /// @throws c10::ValueError if one is below 1.
  ContextGateImpl(std::int64_t channels, std::int64_t hidden);

  void reset() override;

  /// @param map  (N, channels, H, W).
  /// @return     the same shape.
  at::Tensor forward(const at::Tensor& map);

 private:
  std::int64_t channels_, hidden_;
  torch::nn::Sequential mlp_{nullptr};
};

TORCH_MODULE(ContextGate);

static_assert(ImageModule<ContextGate>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ContextGateImpl::ContextGateImpl(std::int64_t channels, std::int64_t hidden)
    : channels_(channels), hidden_(hidden) {
  detail::check_at_least("ContextGate: channels", channels, 1);
  detail::check_at_least("ContextGate: hidden", hidden, 1);
  reset();
}

LIMPID_INLINE void ContextGateImpl::reset() {
  using namespace torch::nn;
  Conv2d last(Conv2dOptions(hidden_, 2 * channels_, 1));
  init::zeros_(last->weight);
  init::zeros_(last->bias);
  mlp_ = register_module(
      "mlp",
      Sequential(LocalMeanPool(1), Conv2d(Conv2dOptions(channels_, hidden_, 1)), ReLU(), last));
}

LIMPID_INLINE at::Tensor ContextGateImpl::forward(const at::Tensor& map) {
  detail::check_image("ContextGate", map, channels_);
  const auto change = mlp_->forward(map);
  return map * (change.narrow(1, 0, channels_) + 1) + change.narrow(1, channels_, channels_);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
