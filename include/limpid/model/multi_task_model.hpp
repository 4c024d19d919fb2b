#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/model/task_set.hpp>

#include <torch/nn.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace limpid {

namespace detail {

template <Encoder E>
ImagePadding padding_of(const E& encoder) {
  if constexpr (requires { encoder->padding(); }) {
    return encoder->padding();
  } else {
    return {};
  }
}

/// What freezing an encoder freezes: the part that it says came with weights, or the whole.
template <Encoder E>
torch::nn::Module* pretrained_part(E& encoder) {
  if constexpr (requires { encoder->pretrained(); }) {
    return &encoder->pretrained();
  } else {
    return &*encoder;
  }
}

template <Decoder D>
constexpr GlobalSkip skip_of() {
  if constexpr (requires { ModuleOf<D>::skip; }) {
    return ModuleOf<D>::skip;
  } else {
    return GlobalSkip::clamped;
  }
}

/// degraded (N, 3, H, W) in [-1, 1] -> restored, any size: pad, encode, decode, skip, crop.
template <Encoder E, DecoderFor<E> D>
at::Tensor restore_image(E& encoder, D& decoder, const at::Tensor& degraded) {
  check_image("restore", degraded);
  const auto padded = pad_image(degraded, padding_of(encoder));
  const auto decoded = decoder->forward(encoder->forward(padded));
  return crop_image(apply_skip(skip_of<D>(), padded, decoded), degraded.size(2), degraded.size(3));
}

}  // namespace detail

/// One encoder shared by all tasks, and a decoder for each.
///
/// Source: Martyniuk, "Multi-task learning for image restoration", UCU 2019, sec. 3.1. There,
/// restored_i = clamp(degraded + D_i(E(degraded)), -1, 1); a decoder may name another `skip`.
/// Images of any size are padded as the encoder asks, and cropped back.
///
/// @tparam EncoderT  an `Encoder`
/// @tparam Decoders  a `DecoderFor<EncoderT>` each, all of different tasks
template <class EncoderT, class... Decoders>
class MultiTaskModelImpl
    : public torch::nn::Cloneable<MultiTaskModelImpl<EncoderT, Decoders...>>,
      private detail::CheckedTaskSet<detail::task_set_fault<EncoderT, Decoders...>()> {
 public:
  /// The tasks' names, in the order of the decoders.
  static constexpr std::array<std::string_view, sizeof...(Decoders)> tasks =
      detail::kTaskNames<Decoders...>;

  MultiTaskModelImpl() : MultiTaskModelImpl(EncoderT{}, Decoders{}...) {}

  /// Takes the modules behind the handles; they are shared, not copied.
  explicit MultiTaskModelImpl(EncoderT encoder, Decoders... decoders)
      : encoder_(std::move(encoder)), decoders_(std::move(decoders)...) {
    register_all();
  }

  void reset() override {  // runs on a copy that still shares the source's modules
    encoder_ = detail::deep_copy(encoder_);
    std::apply([](auto&... decoder) { ((decoder = detail::deep_copy(decoder)), ...); }, decoders_);
    register_all();
  }

  /// @param degraded  (N, 3, H, W), values in [-1, 1], any size.
  /// @return          the restored image, same shape.
  template <FixedString Task>
  at::Tensor restore(const at::Tensor& degraded) {
    constexpr auto index = detail::task_index(tasks, Task);
    static_assert(index < sizeof...(Decoders), "limpid: no decoder has the task of restore<TASK>");
    if constexpr (index < sizeof...(Decoders)) {
      return detail::restore_image(encoder_, std::get<index>(decoders_), degraded);
    } else {
      return {};
    }
  }

  /// One restored image for each task, in the order of `tasks`; the encoder runs once.
  std::array<at::Tensor, sizeof...(Decoders)> forward(const at::Tensor& degraded) {
    detail::check_image("MultiTaskModel", degraded);
    const auto padded = pad_image(degraded, detail::padding_of(encoder_));
    const auto features = encoder_->forward(padded);
    const auto finish = [&](auto& decoder) {
      constexpr auto skip = detail::skip_of<std::remove_cvref_t<decltype(decoder)>>();
      return crop_image(apply_skip(skip, padded, decoder->forward(features)), degraded.size(2),
                        degraded.size(3));
    };
    return std::apply([&](auto&... decoder) { return std::array{finish(decoder)...}; }, decoders_);
  }

  EncoderT& encoder() { return encoder_; }
  const EncoderT& encoder() const { return encoder_; }

  /// The decoder at position `Index` of `tasks`.
  template <std::size_t Index>
  auto& decoder() {
    return std::get<Index>(decoders_);
  }

  /// The decoder of a task.
  template <FixedString Task>
  auto& decoder() {
    return std::get<detail::task_index(tasks, Task)>(decoders_);
  }

 private:
  void register_all() {
    this->register_module("encoder", encoder_);
    std::apply(
        [this](auto&... decoder) {
          (this->register_module("decoder-" + std::string{ModuleOf<decltype(decoder)>::task},
                                 decoder),
           ...);
        },
        decoders_);
  }

  EncoderT encoder_;
  std::tuple<Decoders...> decoders_;
};

/// Handle to a `MultiTaskModelImpl`: `MultiTaskModel model{encoder, deblur, derain};`
template <class EncoderT, class... Decoders>
class MultiTaskModel : public torch::nn::ModuleHolder<MultiTaskModelImpl<EncoderT, Decoders...>> {
 public:
  using torch::nn::ModuleHolder<MultiTaskModelImpl<EncoderT, Decoders...>>::ModuleHolder;
};

template <Encoder EncoderT, class... Decoders>
MultiTaskModel(EncoderT, Decoders...) -> MultiTaskModel<EncoderT, Decoders...>;

}  // namespace limpid
