#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/layers/initialise.hpp>
#endif

namespace limpid {

/// Two 3x3 convolutions without bias, each followed by ReLU: what an FPN makes of one level.
/// Parameters are `block0.weight` and `block1.weight`.
///
/// Source: Kupyn et al., "DeblurGAN-v2", ICCV 2019, sec. 3.2, and the code published with it.
class FPNHeadImpl : public torch::nn::Cloneable<FPNHeadImpl> {
 public:
  FPNHeadImpl(std::int64_t in, std::int64_t out);

  void reset() override;

  /// @param map  (N, in, H, W).
  /// @return     (N, out, H, W).
  at::Tensor forward(const at::Tensor& map);

 private:
  std::int64_t in_, out_;
  Conv2d block0_{nullptr}, block1_{nullptr};
};

TORCH_MODULE(FPNHead);

static_assert(ImageModule<FPNHead>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE FPNHeadImpl::FPNHeadImpl(std::int64_t in, std::int64_t out) : in_(in), out_(out) {
  reset();
  initialise_weights(*this);
}

LIMPID_INLINE void FPNHeadImpl::reset() {
  using namespace torch::nn;
  const auto conv = [](std::int64_t in, std::int64_t out) {
    return Conv2d(Conv2dOptions(in, out, 3).padding(1).bias(false));
  };
  block0_ = register_module("block0", conv(in_, out_));
  block1_ = register_module("block1", conv(out_, out_));
}

LIMPID_INLINE at::Tensor FPNHeadImpl::forward(const at::Tensor& map) {
  return block1_->forward(block0_->forward(map).relu_()).relu_();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
