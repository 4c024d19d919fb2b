#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/conv_transpose2d.hpp>
#include <limpid/layers/instance_norm.hpp>
#include <limpid/layers/reflection_pad2d.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string_view>

namespace limpid {

/// Shape of a `ResNetDecoder`.
struct ResNetDecoderOptions {
  std::int64_t width = 64;  ///< as the encoder's: the features have 4 times these channels

  /// Options of a decoder that reads this encoder's features.
  static ResNetDecoderOptions matching(const ResNetEncoderOptions& encoder) {
    return {.width = encoder.width};
  }
};

LIMPID_JSON(ResNetDecoderOptions, width)

/// The decoder half of DeblurGAN's generator: two transposed convolutions, one 7x7, tanh.
///
/// Source: Kupyn et al., "DeblurGAN", CVPR 2018, sec. 3.2; split as in Martyniuk, "Multi-task
/// learning for image restoration", 2019, sec. 3.2. Parameters have the published names.
///
/// @tparam Task  names the task: `ResNetDecoder<"deblur">`.
template <FixedString Task>
class ResNetDecoderImpl : public torch::nn::Cloneable<ResNetDecoderImpl<Task>> {
  static_assert(is_task_name(Task), "ResNetDecoder: a task is named by a-z, 0-9, '-' and '_'");

 public:
  static constexpr std::string_view task = Task;
  static constexpr std::string_view architecture = "resnet";
  static constexpr GlobalSkip skip = GlobalSkip::clamped;

  /// @throws c10::ValueError if `width` is below 1.
  explicit ResNetDecoderImpl(ResNetDecoderOptions options = {}) : options_(options) {
    detail::check_at_least("ResNetDecoder: width", options.width, 1);
    reset();
  }

  void reset() override {
    using namespace torch::nn;
    const auto w = options_.width;
    Sequential model;
    for (auto channels : {4 * w, 2 * w}) {
      model->push_back(ConvTranspose2d(ConvTranspose2dOptions(channels, channels / 2, 3)
                                           .stride(2)
                                           .padding(1)
                                           .output_padding(1)));
      model->push_back(limpid::InstanceNorm(channels / 2));
      model->push_back(ReLU(ReLUOptions().inplace(true)));
    }
    model->push_back(limpid::ReflectionPad2d(3));
    model->push_back(Conv2d(Conv2dOptions(w, 3, 7)));
    model->push_back(Tanh());
    model_ = this->register_module("model", model);
  }

  /// @param features  (N, 4 width, h, w).
  /// @return          what is added to the degraded image, (N, 3, 4 h, 4 w), values in (-1, 1).
  /// @throws c10::ValueError if `features` has another number of channels.
  at::Tensor forward(const at::Tensor& features) {
    detail::check_features("ResNetDecoder", "features", features, 4 * options_.width);
    return model_->forward(features);
  }

  /// How far the restored picture looks, apart from the statistics of instance norm.
  /// @param features  how far these look
  FieldOfView field_of_view(const FieldOfView& features) const {
    return features.deconvolved().deconvolved().convolved(7);
  }

  /// Channels of the coarsest map that it reads.
  std::int64_t coarsest_channels() const { return 4 * options_.width; }

  const ResNetDecoderOptions& options() const { return options_; }

 private:
  ResNetDecoderOptions options_;
  torch::nn::Sequential model_{nullptr};
};

/// Handle to a `ResNetDecoderImpl`.
template <FixedString Task>
using ResNetDecoder = torch::nn::ModuleHolder<ResNetDecoderImpl<Task>>;

static_assert(DecoderFor<ResNetDecoder<"any">, ResNetEncoder>);

}  // namespace limpid
