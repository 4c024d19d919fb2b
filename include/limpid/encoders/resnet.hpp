#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/instance_norm.hpp>
#include <limpid/layers/reflection_pad2d.hpp>
#include <limpid/layers/resnet_block.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string_view>

namespace limpid {

/// Shape of a `ResNetEncoder`.
struct ResNetEncoderOptions {
  std::int64_t width = 64;  ///< channels of the first convolution; the features have 4 times these
  std::int64_t blocks = 9;  ///< residual blocks at a quarter of the image's sides
  double dropout = 0.5;     ///< inside every block, while training, in [0, 1)
};

LIMPID_JSON(ResNetEncoderOptions, width, blocks, dropout)

/// The encoder half of DeblurGAN's generator: three convolutions, then residual blocks.
///
/// Source: Kupyn et al., "DeblurGAN", CVPR 2018, sec. 3.2; split as in Martyniuk, "Multi-task
/// learning for image restoration", 2019, sec. 3.2. Parameters have the published names.
/// Differs: instance norm keeps no running statistics, as the papers (not the code) have it.
class ResNetEncoderImpl : public torch::nn::Cloneable<ResNetEncoderImpl> {
 public:
  /// (N, 4 width, H / 4, W / 4).
  using Features = at::Tensor;

  static constexpr std::string_view architecture = "resnet";

  /// @throws c10::ValueError if `width` or `blocks` is below 1 or `dropout` out of range.
  explicit ResNetEncoderImpl(ResNetEncoderOptions options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in [-1, 1], sides that `padding()` takes.
  /// @return       features (N, 4 width, H / 4, W / 4).
  /// @throws c10::ValueError if `image` has another shape.
  at::Tensor forward(const at::Tensor& image);

  /// Sides that are multiples of 4, at least 8.
  ImagePadding padding() const { return {.multiple = 4, .min_side = 8}; }

  /// How far its features look, apart from the statistics of instance norm.
  FieldOfView field_of_view() const;

  const ResNetEncoderOptions& options() const { return options_; }

 private:
  ResNetEncoderOptions options_;
  torch::nn::Sequential model_{nullptr};
};

/// Handle to a `ResNetEncoderImpl`: `ResNetEncoder encoder{ResNetEncoderOptions{.blocks = 6}};`
TORCH_MODULE(ResNetEncoder);

static_assert(Encoder<ResNetEncoder>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ResNetEncoderImpl::ResNetEncoderImpl(ResNetEncoderOptions options)
    : options_(options) {
  detail::check_at_least("ResNetEncoder: width", options.width, 1);
  detail::check_at_least("ResNetEncoder: blocks", options.blocks, 1);
  reset();
}

LIMPID_INLINE void ResNetEncoderImpl::reset() {
  using namespace torch::nn;
  const auto relu = ReLUOptions().inplace(true);
  const auto w = options_.width;
  Sequential model(limpid::ReflectionPad2d(3), Conv2d(Conv2dOptions(3, w, 7)),
                   limpid::InstanceNorm(w), ReLU(relu));
  for (auto channels : {w, 2 * w}) {
    model->push_back(Conv2d(Conv2dOptions(channels, 2 * channels, 3).stride(2).padding(1)));
    model->push_back(limpid::InstanceNorm(2 * channels));
    model->push_back(ReLU(relu));
  }
  for (std::int64_t i = 0; i < options_.blocks; ++i) {
    model->push_back(ResNetBlock(4 * w, options_.dropout));
  }
  model_ = register_module("model", model);
}

LIMPID_INLINE at::Tensor ResNetEncoderImpl::forward(const at::Tensor& image) {
  detail::check_padded_image("ResNetEncoder", image, padding());
  return model_->forward(image);
}

LIMPID_INLINE FieldOfView ResNetEncoderImpl::field_of_view() const {
  const auto down = FieldOfView{}.convolved(7).convolved(3, 2).convolved(3, 2);
  return down.convolved(3, 1, 2 * options_.blocks);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
