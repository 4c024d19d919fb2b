#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/model/describe.hpp>
#include <limpid/model/restore_image.hpp>
#include <limpid/model/task_set.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// The decoders of a model, each registered under the name of its task.
template <class... Decoders>
class DecoderTupleImpl : public torch::nn::Cloneable<DecoderTupleImpl<Decoders...>> {
 public:
  explicit DecoderTupleImpl(Decoders... decoders) : all(std::move(decoders)...) { register_all(); }

  void reset() override {  // runs on a copy that still shares the source's modules
    std::apply([](auto&... decoder) { ((decoder = deep_copy(decoder)), ...); }, all);
    register_all();
  }

  std::tuple<Decoders...> all;

 private:
  void register_all() {
    std::apply(
        [this](auto&... decoder) {
          (this->register_module(std::string{ModuleOf<decltype(decoder)>::task}, decoder), ...);
        },
        all);
  }
};

}  // namespace detail

/// One encoder shared by all tasks, and a decoder for each.
///
/// Source: Martyniuk, "Multi-task learning for image restoration", UCU 2019, sec. 3.1. There,
/// restored_i = clamp(degraded + D_i(E(degraded)), -1, 1); a decoder may name another `skip`.
/// Images of any size are padded as the encoder asks, and cropped back; they are in [-1, 1]
/// whatever values the encoder takes. Parameters are called as in a model file: `encoder.NAME`,
/// `decoder.TASK.NAME`.
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
      : encoder_(std::move(encoder)),
        decoders_(std::make_shared<DecoderTuple>(std::move(decoders)...)) {
    register_all();
  }

  void reset() override {  // runs on a copy that still shares the source's modules
    encoder_ = detail::deep_copy(encoder_);
    decoders_ = detail::deep_copy(decoders_);
    register_all();
  }

  /// @param degraded  (N, 3, H, W), values in [-1, 1], any size.
  /// @return          the restored image, same shape.
  template <FixedString Task>
  at::Tensor restore(const at::Tensor& degraded) {
    constexpr auto index = detail::task_index(tasks, Task);
    static_assert(index < sizeof...(Decoders), "limpid: no decoder has the task of restore<TASK>");
    if constexpr (index < sizeof...(Decoders)) {
      return detail::restore_image(encoder_, decoder<index>(), degraded);
    } else {
      return {};
    }
  }

  /// The same for the task at position `index` of `tasks`.
  at::Tensor restore(std::size_t index, const at::Tensor& degraded) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      using Restore = at::Tensor (*)(MultiTaskModelImpl&, const at::Tensor&);
      static constexpr std::array<Restore, sizeof...(I)> kRestore{
          [](MultiTaskModelImpl& model, const at::Tensor& image) {
            return detail::restore_image(model.encoder_, model.template decoder<I>(), image);
          }...};
      return kRestore.at(index)(*this, degraded);
    }
    (std::index_sequence_for<Decoders...>{});
  }

  /// What tiles of a picture must be like for the task at position `index` of `tasks`.
  TileNeeds tile_needs(std::size_t index) const {
    return std::apply(
        [&](const auto&... decoder) {
          return std::array{detail::tile_needs(encoder_, decoder)...}.at(index);
        },
        decoders_->all);
  }

  /// One restored image for each task, in the order of `tasks`; the encoder runs once.
  std::array<at::Tensor, sizeof...(Decoders)> forward(const at::Tensor& degraded) {
    detail::check_image("MultiTaskModel", degraded);
    const detail::NetworkImage input{encoder_, degraded};
    const auto features = encoder_->forward(input.image());
    const auto finish = [&](auto& decoder) {
      return input.restored(detail::skip_of(decoder), decoder->forward(features));
    };
    return std::apply([&](auto&... decoder) { return std::array{finish(decoder)...}; },
                      decoders_->all);
  }

  EncoderT& encoder() { return encoder_; }
  const EncoderT& encoder() const { return encoder_; }

  /// The decoder at position `Index` of `tasks`.
  template <std::size_t Index>
  auto& decoder() {
    return std::get<Index>(decoders_->all);
  }

  /// The decoder of a task.
  template <FixedString Task>
  auto& decoder() {
    constexpr auto index = detail::task_index(tasks, Task);
    static_assert(index < sizeof...(Decoders), "limpid: no decoder has the task of decoder<TASK>");
    return decoder<(index < sizeof...(Decoders) ? index : 0)>();
  }

  /// Calls `call` with each task's decoder, in the order of `tasks`.
  template <class Call>
  void for_each_decoder(Call call) {
    std::apply([&](auto&... decoder) { (call(decoder), ...); }, decoders_->all);
  }

  std::vector<std::string> task_names() const { return {tasks.begin(), tasks.end()}; }

  /// What a model file says of it: encoder, and name and description of each decoder.
  nlohmann::json describe() const {
    auto described = nlohmann::json::array();
    std::apply(
        [&](const auto&... decoder) {
          (described.push_back({{"name", std::string{ModuleOf<decltype(decoder)>::task}},
                                {"decoder", detail::describe(decoder)}}),
           ...);
        },
        decoders_->all);
    return {{"encoder", detail::describe(encoder_)}, {"tasks", std::move(described)}};
  }

 private:
  using DecoderTuple = detail::DecoderTupleImpl<Decoders...>;

  void register_all() {
    this->register_module("encoder", encoder_);
    this->register_module("decoder", decoders_);
  }

  EncoderT encoder_;
  std::shared_ptr<DecoderTuple> decoders_;
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
