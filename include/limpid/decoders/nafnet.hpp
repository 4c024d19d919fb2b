#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/encoders/nafnet.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/naf_block.hpp>
#include <limpid/layers/residual_block.hpp>

#include <ATen/TensorOperators.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// Shape of a `NAFNetDecoder`.
struct NAFNetDecoderOptions {
  std::int64_t width = 32;                          ///< as the encoder's
  std::vector<std::int64_t> blocks = {2, 2, 2, 2};  ///< per level, from coarse to fine; as many
                                                    ///< levels as the encoder has
  std::int64_t local_train_size = 0;                ///< as the encoder's

  /// Options of a decoder that reads this encoder's features: as many levels, each with as many
  /// blocks as is the default.
  static NAFNetDecoderOptions matching(const NAFNetEncoderOptions& encoder) {
    return {.width = encoder.width,
            .blocks = std::vector<std::int64_t>(encoder.blocks.size(), 2),
            .local_train_size = encoder.local_train_size};
  }
};

LIMPID_JSON(NAFNetDecoderOptions, width, blocks, local_train_size)

/// The ascending half of NAFNet: pixel shuffles, the encoder's skips, blocks, one convolution.
///
/// Source: Chen et al., "Simple Baselines for Image Restoration", ECCV 2022. Parameters have the
/// published names: `ups.0.0.weight`, `decoders.0.0.norm1.weight`, `ending`.
///
/// @tparam Task  names the task: `NAFNetDecoder<"deblur">`.
template <FixedString Task>
class NAFNetDecoderImpl : public torch::nn::Cloneable<NAFNetDecoderImpl<Task>> {
  static_assert(is_task_name(Task), "NAFNetDecoder: a task is named by a-z, 0-9, '-' and '_'");

 public:
  static constexpr std::string_view task = Task;
  static constexpr std::string_view architecture = "nafnet";
  static constexpr GlobalSkip skip = GlobalSkip::plain;

  /// @throws c10::ValueError if `width` is below 1, there is no level, or a count is negative.
  explicit NAFNetDecoderImpl(NAFNetDecoderOptions options = {}) : options_(std::move(options)) {
    detail::check_at_least("NAFNetDecoder: width", options_.width, 1);
    detail::check_at_least("NAFNetDecoder: levels",
                           static_cast<std::int64_t>(options_.blocks.size()), 1);
    TORCH_CHECK_VALUE(options_.blocks.size() <= 16,
                      "NAFNetDecoder: expected at most 16 levels, got ", options_.blocks.size());
    for (const auto count : options_.blocks) {
      detail::check_at_least("NAFNetDecoder: blocks", count, 0);
    }
    detail::check_at_least("NAFNetDecoder: local_train_size", options_.local_train_size, 0);
    reset();
  }

  void reset() override {
    using namespace torch::nn;
    auto channels = coarsest_channels();
    auto stride = channels / options_.width;
    ups_ = this->register_module("ups", ModuleList());
    decoders_ = this->register_module("decoders", ModuleList());
    for (const auto count : options_.blocks) {
      ups_->push_back(Sequential(Conv2d(Conv2dOptions(channels, 2 * channels, 1).bias(false)),
                                 PixelShuffle(2)));
      channels /= 2;
      stride /= 2;
      decoders_->push_back(detail::naf_blocks(count, channels, stride, options_.local_train_size));
    }
    ending_ = this->register_module("ending", Conv2d(Conv2dOptions(channels, 3, 3).padding(1)));
  }

  /// @param features  of a `NAFNetEncoder` of the same width and number of levels.
  /// @return          what is added to the degraded image, (N, 3, H, W), unbounded.
  /// @throws c10::ValueError if `features` come from an encoder of another shape.
  at::Tensor forward(const NAFNetFeatures& features) {
    const auto levels = options_.blocks.size();
    TORCH_CHECK_VALUE(features.skips.size() == levels, "NAFNetDecoder: expected skips of ", levels,
                      " levels, got ", features.skips.size());
    auto channels = coarsest_channels();
    detail::check_features("NAFNetDecoder", "bottom", features.bottom, channels);
    auto map = features.bottom;
    for (std::size_t i = 0; i < levels; ++i) {
      const auto& skip_map = features.skips[levels - 1 - i];
      channels /= 2;
      detail::check_features("NAFNetDecoder", "skip", skip_map, channels);
      map = ups_->at<torch::nn::SequentialImpl>(i).forward(map) + skip_map;
      map = detail::through(decoders_->at<torch::nn::SequentialImpl>(i), map);
    }
    return ending_->forward(map);
  }

  /// How far the restored picture looks, apart from means over whole maps.
  /// @param features  how far the bottom ones look
  FieldOfView field_of_view(const FieldOfView& features) const {
    auto view = features;
    for (const auto count : options_.blocks) {
      view = detail::view_of_naf_blocks(view.upsampled(2), count, options_.local_train_size);
    }
    return view.convolved(3);
  }

  /// See `NAFNetEncoderImpl::set_local_train_size`.
  void set_local_train_size(std::int64_t train_size) {
    detail::set_local_train_size(*this, train_size);
    options_.local_train_size = train_size;
  }

  /// Channels of the coarsest map that it reads.
  std::int64_t coarsest_channels() const { return options_.width << options_.blocks.size(); }

  const NAFNetDecoderOptions& options() const { return options_; }

 private:
  NAFNetDecoderOptions options_;
  torch::nn::ModuleList ups_{nullptr}, decoders_{nullptr};
  Conv2d ending_{nullptr};
};

/// Handle to a `NAFNetDecoderImpl`.
template <FixedString Task>
using NAFNetDecoder = torch::nn::ModuleHolder<NAFNetDecoderImpl<Task>>;

static_assert(DecoderFor<NAFNetDecoder<"any">, NAFNetEncoder>);

}  // namespace limpid
