#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/instance_norm.hpp>
#include <limpid/layers/layer_norm2d.hpp>
#include <limpid/layers/no_norm.hpp>
#include <limpid/layers/norm_options.hpp>
#include <limpid/layers/recompute.hpp>
#include <limpid/layers/reflection_pad2d.hpp>

#include <cstdint>
#include <memory>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/field_of_view.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>

#include <cmath>
#endif

namespace limpid {

/// What gUNet's blocks are made of, wherever they stand.
struct GatedConvOptions {
  std::int64_t kernel = 5;          ///< side of the depthwise convolution; odd
  NormKind norm = NormKind::layer;  ///< published: batch
  std::int64_t network_depth = 16;  ///< blocks of the whole network: the more, the smaller are
                                    ///< random weights
};

/// gUNet's block: a depthwise convolution over a large window, gated by a sigmoid of the pixel's
/// own channels, behind a norm and added to the input. Borders are reflected.
///
/// Source: Song et al., "Rethinking Performance Gains in Image Dehazing Networks", 2022
/// (arXiv:2209.11448), fig. 2. Its layers have the published names; those of the convolutions stand
/// beside `norm` here, and in published files in `conv`.
class GatedConvBlockImpl : public torch::nn::Cloneable<GatedConvBlockImpl> {
 public:
  /// @throws c10::ValueError if `channels` or the depth is below 1, or the kernel is even or below
  ///         1.
  explicit GatedConvBlockImpl(std::int64_t channels, GatedConvOptions options = {});

  void reset() override;

  /// @param input  (N, channels, H, W), sides larger than half the kernel.
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  std::shared_ptr<torch::nn::Module> norm();

  /// Small at the start, so that deep networks begin near the identity.
  void draw_weights();

  std::int64_t channels_;
  GatedConvOptions options_;
  torch::nn::AnyModule norm_;
  torch::nn::Sequential value_{nullptr}, gate_{nullptr};
  Conv2d project_{nullptr};
};

TORCH_MODULE(GatedConvBlock);

static_assert(ImageModule<GatedConvBlock>);

namespace detail {

/// `count` GatedConvBlocks one after the other, named "0", "1" ...
LIMPID_INLINE torch::nn::Sequential gated_conv_blocks(std::int64_t count, std::int64_t channels,
                                                      const GatedConvOptions& options);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE GatedConvBlockImpl::GatedConvBlockImpl(std::int64_t channels,
                                                     GatedConvOptions options)
    : channels_(channels), options_(options) {
  detail::check_at_least("GatedConvBlock: channels", channels, 1);
  detail::check_at_least("GatedConvBlock: kernel", options.kernel, 1);
  TORCH_CHECK_VALUE(options.kernel % 2 == 1, "GatedConvBlock: kernel must be odd, got ",
                    options.kernel);
  detail::check_at_least("GatedConvBlock: network_depth", options.network_depth, 1);
  reset();
}

LIMPID_INLINE void GatedConvBlockImpl::reset() {
  using namespace torch::nn;
  const auto c = channels_, k = options_.kernel;
  register_module("norm", norm());
  Sequential value;
  value->push_back("0", Conv2d(Conv2dOptions(c, c, 1)));
  if (k > 1) value->push_back("border", limpid::ReflectionPad2d(k / 2));
  value->push_back("1", Conv2d(Conv2dOptions(c, c, k).groups(c)));
  value_ = register_module("Wv", value);
  gate_ = register_module("Wg", Sequential(Conv2d(Conv2dOptions(c, c, 1)), Sigmoid()));
  project_ = register_module("proj", Conv2d(Conv2dOptions(c, c, 1)));
  draw_weights();
}

LIMPID_INLINE at::Tensor GatedConvBlockImpl::forward(const at::Tensor& input) {
  detail::check_image("GatedConvBlock", input, channels_, options_.kernel / 2 + 1);
  return recomputed(*this, input, [](GatedConvBlockImpl& block, const at::Tensor& x) {
    const auto normed = block.norm_.forward(x);
    return x +
           block.project_->forward(block.value_->forward(normed) * block.gate_->forward(normed));
  });
}

LIMPID_INLINE std::shared_ptr<torch::nn::Module> GatedConvBlockImpl::norm() {
  switch (options_.norm) {
    case NormKind::layer:
      norm_ = torch::nn::AnyModule(LayerNorm2d(channels_));
      break;
    case NormKind::batch:
      norm_ = torch::nn::AnyModule(torch::nn::BatchNorm2d(channels_));
      break;
    case NormKind::instance:
      norm_ = torch::nn::AnyModule(limpid::InstanceNorm(channels_));
      break;
    case NormKind::none:
      norm_ = torch::nn::AnyModule(NoNorm(channels_));
      break;
  }
  return norm_.ptr();
}

LIMPID_INLINE void GatedConvBlockImpl::draw_weights() {
  torch::NoGradGuard no_grad;
  const auto gain = std::pow(8.0 * static_cast<double>(options_.network_depth), -0.25);
  for (const auto& module : modules(/*include_self=*/false)) {
    auto* conv = module->as<Conv2dImpl>();
    if (conv == nullptr) continue;
    const auto pixels = static_cast<double>(conv->weight.size(2) * conv->weight.size(3));
    const auto fans = static_cast<double>(conv->weight.size(0) + conv->weight.size(1)) * pixels;
    torch::nn::init::normal_(conv->weight, 0, gain * std::sqrt(2 / fans));
    torch::nn::init::zeros_(conv->bias);
  }
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE torch::nn::Sequential gated_conv_blocks(std::int64_t count, std::int64_t channels,
                                                      const GatedConvOptions& options) {
  torch::nn::Sequential blocks;
  for (std::int64_t i = 0; i < count; ++i) blocks->push_back(GatedConvBlock(channels, options));
  return blocks;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
