#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/ranges.hpp>

#include <cstdint>
#include <optional>

namespace limpid::detail {

template <Encoder E>
ImagePadding padding_of(const E& encoder) {
  if constexpr (requires { encoder->padding(); }) {
    return encoder->padding();
  } else {
    return {};
  }
}

template <Encoder E>
ValueRange range_of(const E& encoder) {
  if constexpr (requires { encoder->range(); }) {
    return encoder->range();
  } else {
    return ValueRange::signed_range;
  }
}

/// What tiles must be like for a pair of networks; the picture's size does not change it.
template <Encoder E, DecoderFor<E> D>
TileNeeds tile_needs(const E& encoder, const D& decoder) {
  TileNeeds needs{.padding = padding_of(encoder), .range = range_of(encoder)};
  if constexpr (requires(const FieldOfView& view) {
                  std::optional<FieldOfView>{encoder->field_of_view()};
                  std::optional<FieldOfView>{decoder->field_of_view(view)};
                }) {
    const std::optional<FieldOfView> features = encoder->field_of_view();
    if (features) needs.view = decoder->field_of_view(*features);
  }
  return needs;
}

/// What freezing an encoder freezes: the part that it says came with weights, or the whole.
template <ModuleHandle E>
torch::nn::Module* pretrained_part(E& encoder) {
  if constexpr (requires { encoder->pretrained(); }) {
    return &encoder->pretrained();
  } else {
    return &*encoder;
  }
}

/// What a decoder says of its skip: of each of its kind by a constant, of itself by a function.
template <Decoder D>
GlobalSkip skip_of(const D& decoder) {
  if constexpr (requires { decoder->skip(); }) {
    return decoder->skip();
  } else if constexpr (requires { ModuleOf<D>::skip; }) {
    return ModuleOf<D>::skip;
  } else {
    return GlobalSkip::clamped;
  }
}

/// What stands between a picture (N, 3, H, W) in [-1, 1] of any size and a pair of networks: the
/// networks' range of values and the sizes that they take. The only place that knows of either, so
/// training and restoring do the same.
class NetworkImage {
 public:
  template <Encoder E>
  NetworkImage(const E& encoder, const at::Tensor& degraded)
      : range_(range_of(encoder)), height_(degraded.size(2)), width_(degraded.size(3)) {
    const bool unit = range_ == ValueRange::unit_range;
    image_ = pad_image(unit ? to_unit(degraded) : degraded, padding_of(encoder));
  }

  /// For the encoder: in its range, padded with what that range calls nothing.
  const at::Tensor& image() const { return image_; }

  /// The restored picture in [-1, 1], of the degraded one's size.
  at::Tensor restored(GlobalSkip skip, const at::Tensor& decoded) const {
    const auto cropped = crop_image(apply_skip(skip, image_, decoded, range_), height_, width_);
    return range_ == ValueRange::unit_range ? to_signed(cropped) : cropped;
  }

 private:
  ValueRange range_;
  std::int64_t height_, width_;
  at::Tensor image_;
};

/// degraded (N, 3, H, W) in [-1, 1] -> restored, any size: convert, pad, encode, decode, skip,
/// crop, convert back.
template <Encoder E, DecoderFor<E> D>
at::Tensor restore_image(E& encoder, D& decoder, const at::Tensor& degraded) {
  check_image("restore", degraded);
  const NetworkImage input{encoder, degraded};
  return input.restored(skip_of(decoder), decoder->forward(encoder->forward(input.image())));
}

}  // namespace limpid::detail
