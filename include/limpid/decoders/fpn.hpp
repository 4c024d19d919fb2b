#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/encoders/fpn_features.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/initialise.hpp>
#include <limpid/layers/norm_options.hpp>
#include <limpid/layers/options_json.hpp>
#include <limpid/layers/upsample_nearest.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

/// Shape of an `FPNDecoder`.
struct FPNDecoderOptions {
  std::int64_t width = 128;            ///< the encoder's `head_width`, even
  NormKind norm = NormKind::instance;  ///< after both hidden convolutions

  /// How the restored image follows. `none`: it is the tanh of the last convolution, as
  /// DeblurGAN-v2's FPN over DenseNet has it, with `norm` batch.
  GlobalSkip skip = GlobalSkip::clamped;

  /// Options of a decoder that reads the features of an encoder with these `FPNEncoderOptions`.
  template <class EncoderOptions>
  static FPNDecoderOptions matching(const EncoderOptions& encoder) {
    return {.width = encoder.head_width, .norm = encoder.norm};
  }
};

LIMPID_JSON(FPNDecoderOptions, width, norm, skip)

/// Merges the five maps of any `FPNEncoder` and brings them to the image's size.
///
/// Source: Martyniuk, "Multi-task learning for image restoration", 2019, sec. 3.2; the last layers
/// of DeblurGAN-v2 (Kupyn et al., ICCV 2019). Parameters have the published names:
/// `smooth.0.weight`, `smooth2.0.bias`, `final.weight`.
/// Differs: random weights of the last convolution start a tenth as large as He's, so that training
/// starts near the degraded image; without a global skip as large as keeps the mean square.
///
/// @tparam Task  names the task: `FPNDecoder<"deblur">`.
template <FixedString Task>
class FPNDecoderImpl : public torch::nn::Cloneable<FPNDecoderImpl<Task>> {
  static_assert(is_task_name(Task), "FPNDecoder: a task is named by a-z, 0-9, '-' and '_'");

 public:
  static constexpr std::string_view task = Task;
  static constexpr std::string_view architecture = "fpn";

  /// @throws c10::ValueError if `width` is below 2 or odd.
  explicit FPNDecoderImpl(FPNDecoderOptions options = {}) : options_(options) {
    TORCH_CHECK_VALUE(options.width >= 2 && options.width % 2 == 0,
                      "FPNDecoder: width must be even and at least 2, got ", options.width);
    reset();
    initialise_weights(*smooth_);
    initialise_weights(*smooth2_);
    const bool adds = options.skip != GlobalSkip::none;
    initialise_weights(*final_, adds ? 0.1 * kReluGain : kLinearGain);
  }

  void reset() override {
    using namespace torch::nn;
    const auto w = options_.width;
    smooth_ = this->register_module("smooth", detail::conv_norm_relu(4 * w, w, options_.norm));
    smooth2_ = this->register_module("smooth2", detail::conv_norm_relu(w, w / 2, options_.norm));
    final_ = this->register_module("final", Conv2d(Conv2dOptions(w / 2, 3, 3).padding(1)));
  }

  /// @param features  five maps of `width` channels.
  /// @return          what is added to the degraded image, or with `GlobalSkip::none` the restored
  ///                  image, (N, 3, H, W), values in (-1, 1).
  /// @throws c10::ValueError if a map has another number of channels.
  at::Tensor forward(const FPNFeatures& features) {
    const auto& maps = features.maps;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      detail::check_features("FPNDecoder", "map " + std::to_string(i), maps[i], options_.width);
    }
    auto merged = smooth_->forward(at::cat({maps[4], maps[3], maps[2], maps[1]}, 1));
    merged = smooth2_->forward(upsample_nearest(merged, 2) + maps[0]);
    return final_->forward(upsample_nearest(merged, 2)).tanh_();
  }

  /// How far the restored picture looks, apart from the statistics of instance norm.
  /// @param features  how far these look
  FieldOfView field_of_view(const FieldOfView& features) const {
    return features.convolved(3).upsampled(2).convolved(3).upsampled(2).convolved(3);
  }

  GlobalSkip skip() const { return options_.skip; }

  /// Channels of the coarsest map that it reads.
  std::int64_t coarsest_channels() const { return options_.width; }

  const FPNDecoderOptions& options() const { return options_; }

 private:
  FPNDecoderOptions options_;
  torch::nn::Sequential smooth_{nullptr}, smooth2_{nullptr};
  Conv2d final_{nullptr};
};

/// Handle to an `FPNDecoderImpl`.
template <FixedString Task>
using FPNDecoder = torch::nn::ModuleHolder<FPNDecoderImpl<Task>>;

}  // namespace limpid
