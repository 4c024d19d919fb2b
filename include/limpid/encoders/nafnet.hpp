#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/naf_block.hpp>
#include <limpid/layers/residual_block.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/layers/check_features.hpp>
#include <limpid/layers/options_json.hpp>
#endif

namespace limpid {

/// Shape of a `NAFNetEncoder`. The defaults are those published for denoising (SIDD); published
/// for deblurring (GoPro): blocks 1, 1, 1, 28 and one in the middle.
struct NAFNetEncoderOptions {
  std::int64_t width = 32;                          ///< channels at the image's own size
  std::vector<std::int64_t> blocks = {2, 2, 4, 8};  ///< per level, from fine to coarse
  std::int64_t middle_blocks = 12;                  ///< at the coarsest scale
  PaddingMode padding = PaddingMode::reflect;       ///< published: zeros
  std::int64_t local_train_size = 0;  ///< pixels; means over windows fit for patches of this side
                                      ///< (TLC); 0: over the whole map, as training needs it
  ValueRange range = ValueRange::signed_range;  ///< published: unit
};

LIMPID_JSON(NAFNetEncoderOptions, width, blocks, middle_blocks, padding, local_train_size, range)

/// What a `NAFNetEncoder` returns for an image (N, 3, H, W), L levels.
struct NAFNetFeatures {
  at::Tensor bottom;              ///< (N, 2^L width, H / 2^L, W / 2^L)
  std::vector<at::Tensor> skips;  ///< L maps (N, 2^i width, H / 2^i, W / 2^i), i = 0 ... L - 1

  /// All maps, from fine to coarse.
  std::vector<at::Tensor> tensors() const {
    auto maps = skips;
    maps.push_back(bottom);
    return maps;
  }

  /// The bottom map, for what changes it (`Prompted`).
  at::Tensor& coarsest() { return bottom; }
};

/// The descending half of NAFNet, with its middle blocks.
///
/// Source: Chen et al., "Simple Baselines for Image Restoration", ECCV 2022. Parameters have the
/// published names: `intro`, `encoders.0.0.norm1.weight`, `downs.0`, `middle_blks.0` ...
class NAFNetEncoderImpl : public torch::nn::Cloneable<NAFNetEncoderImpl> {
 public:
  using Features = NAFNetFeatures;

  static constexpr std::string_view architecture = "nafnet";

  /// @throws c10::ValueError if `width` is below 1, there is no level, or a count is negative.
  explicit NAFNetEncoderImpl(NAFNetEncoderOptions options = {});

  void reset() override;

  /// @param image  (N, 3, H, W), values in `range()`, sides that `padding()` takes.
  /// @throws c10::ValueError if `image` has another shape.
  NAFNetFeatures forward(const at::Tensor& image);

  /// Sides that are multiples of 2^levels.
  ImagePadding padding() const;

  /// How far its bottom features look, apart from means over whole maps; the skips look less far.
  FieldOfView field_of_view() const;

  /// The values that it takes, and in which its decoder's output is added to them.
  ValueRange range() const { return options_.range; }

  /// Takes means over windows fit for training patches of `train_size` pixels (TLC), from now on;
  /// 0: over the whole map. For inference on images larger than the patches of training.
  void set_local_train_size(std::int64_t train_size);

  const NAFNetEncoderOptions& options() const { return options_; }

 private:
  std::int64_t levels() const { return static_cast<std::int64_t>(options_.blocks.size()); }

  NAFNetEncoderOptions options_;
  Conv2d intro_{nullptr};
  torch::nn::ModuleList encoders_{nullptr}, downs_{nullptr};
  torch::nn::Sequential middle_{nullptr};
};

/// Handle to a `NAFNetEncoderImpl`.
TORCH_MODULE(NAFNetEncoder);

static_assert(Encoder<NAFNetEncoder>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE NAFNetEncoderImpl::NAFNetEncoderImpl(NAFNetEncoderOptions options)
    : options_(std::move(options)) {
  detail::check_at_least("NAFNetEncoder: width", options_.width, 1);
  detail::check_at_least("NAFNetEncoder: levels", levels(), 1);
  TORCH_CHECK_VALUE(levels() <= 16, "NAFNetEncoder: expected at most 16 levels, got ", levels());
  for (const auto count : options_.blocks) {
    detail::check_at_least("NAFNetEncoder: blocks", count, 0);
  }
  detail::check_at_least("NAFNetEncoder: middle_blocks", options_.middle_blocks, 0);
  detail::check_at_least("NAFNetEncoder: local_train_size", options_.local_train_size, 0);
  reset();
}

LIMPID_INLINE void NAFNetEncoderImpl::reset() {
  using namespace torch::nn;
  auto channels = options_.width;
  std::int64_t stride = 1;
  intro_ = register_module("intro", Conv2d(Conv2dOptions(3, channels, 3).padding(1)));
  encoders_ = register_module("encoders", ModuleList());
  downs_ = register_module("downs", ModuleList());
  for (const auto count : options_.blocks) {
    encoders_->push_back(detail::naf_blocks(count, channels, stride, options_.local_train_size));
    downs_->push_back(Conv2d(Conv2dOptions(channels, 2 * channels, 2).stride(2)));
    channels *= 2;
    stride *= 2;
  }
  middle_ = register_module("middle_blks", detail::naf_blocks(options_.middle_blocks, channels,
                                                              stride, options_.local_train_size));
}

LIMPID_INLINE NAFNetFeatures NAFNetEncoderImpl::forward(const at::Tensor& image) {
  detail::check_padded_image("NAFNetEncoder", image, padding());
  NAFNetFeatures features;
  auto map = intro_->forward(image);
  for (std::size_t i = 0; i < options_.blocks.size(); ++i) {
    map = detail::through(encoders_->at<torch::nn::SequentialImpl>(i), map);
    features.skips.push_back(map);
    map = downs_->at<Conv2dImpl>(i).forward(map);
  }
  features.bottom = detail::through(*middle_, map);
  return features;
}

LIMPID_INLINE ImagePadding NAFNetEncoderImpl::padding() const {
  const auto multiple = std::int64_t{1} << levels();
  return {.multiple = multiple, .min_side = multiple, .mode = options_.padding};
}

LIMPID_INLINE FieldOfView NAFNetEncoderImpl::field_of_view() const {
  auto view = FieldOfView{}.convolved(3);
  const auto& o = options_;
  for (const auto count : o.blocks) {
    view = detail::view_of_naf_blocks(view, count, o.local_train_size).convolved(2, 2);
  }
  return detail::view_of_naf_blocks(view, o.middle_blocks, o.local_train_size);
}

LIMPID_INLINE void NAFNetEncoderImpl::set_local_train_size(std::int64_t train_size) {
  detail::set_local_train_size(*this, train_size);
  options_.local_train_size = train_size;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
