#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/model/describe.hpp>
#include <limpid/model/restore_image.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// Decoders of one type, each registered under the name of its task.
template <Decoder D>
class DecoderListImpl : public torch::nn::Cloneable<DecoderListImpl<D>> {
 public:
  explicit DecoderListImpl(std::vector<std::pair<std::string, D>> decoders)
      : all(std::move(decoders)) {
    register_all();
  }

  void reset() override {  // runs on a copy that still shares the source's modules
    for (auto& [task, decoder] : all) decoder = deep_copy(decoder);
    register_all();
  }

  std::vector<std::pair<std::string, D>> all;

 private:
  void register_all() {
    for (auto& [task, decoder] : all) this->register_module(task, decoder);
  }
};

}  // namespace detail

/// A `MultiTaskModel` whose tasks are named at run time: one encoder, and decoders of one type. The
/// decoders of a family differ by their task's name only, so one type serves all.
///
/// @tparam D  a decoder under any name: `ResNetDecoder<"any">`
template <Encoder E, DecoderFor<E> D>
class FamilyModelImpl : public torch::nn::Cloneable<FamilyModelImpl<E, D>> {
 public:
  using EncoderType = E;
  using DecoderType = D;

  /// Takes the modules behind the handles; they are shared, not copied.
  /// @throws c10::ValueError if there is no task, a name is no task's (`is_task_name`), or comes
  ///         twice.
  FamilyModelImpl(E encoder, std::vector<std::pair<std::string, D>> decoders)
      : encoder_(std::move(encoder)) {
    TORCH_CHECK_VALUE(!decoders.empty(), "expected at least one task, got none");
    for (const auto& [name, decoder] : decoders) {
      TORCH_CHECK_VALUE(is_task_name(name), "a task is named by a-z, 0-9, '-' and '_', got '", name,
                        "'");
      const auto same = std::count_if(decoders.begin(), decoders.end(),
                                      [&](const auto& other) { return other.first == name; });
      TORCH_CHECK_VALUE(same == 1, "task '", name, "' is named twice");
    }
    decoders_ = std::make_shared<DecoderList>(std::move(decoders));
    register_all();
  }

  void reset() override {  // runs on a copy that still shares the source's modules
    encoder_ = detail::deep_copy(encoder_);
    decoders_ = detail::deep_copy(decoders_);
    register_all();
  }

  /// @param index     of the task among `task_names()`
  /// @param degraded  (N, 3, H, W), values in [-1, 1], any size.
  /// @return          the restored image, same shape.
  at::Tensor restore(std::size_t index, const at::Tensor& degraded) {
    return detail::restore_image(encoder_, decoders_->all.at(index).second, degraded);
  }

  /// What tiles of a picture must be like for a task.
  TileNeeds tile_needs(std::size_t index) const {
    return detail::tile_needs(encoder_, decoders_->all.at(index).second);
  }

  E& encoder() { return encoder_; }
  D& decoder(std::size_t index) { return decoders_->all.at(index).second; }

  /// Calls `call` with each task's decoder, in the order of `task_names()`.
  template <class Call>
  void for_each_decoder(Call call) {
    for (auto& [name, decoder] : decoders_->all) call(decoder);
  }

  std::vector<std::string> task_names() const {
    std::vector<std::string> names;
    for (const auto& [name, decoder] : decoders_->all) names.push_back(name);
    return names;
  }

  /// What a model file says of it: encoder, and name and description of each decoder.
  nlohmann::json describe() const {
    auto described = nlohmann::json::array();
    for (const auto& [name, decoder] : decoders_->all) {
      described.push_back({{"name", name}, {"decoder", detail::describe(decoder)}});
    }
    return {{"encoder", detail::describe(encoder_)}, {"tasks", std::move(described)}};
  }

 private:
  using DecoderList = detail::DecoderListImpl<D>;

  void register_all() {
    this->register_module("encoder", encoder_);
    this->register_module("decoder", decoders_);
  }

  E encoder_;
  std::shared_ptr<DecoderList> decoders_;
};

/// Handle to a `FamilyModelImpl`.
template <Encoder E, DecoderFor<E> D>
using FamilyModel = torch::nn::ModuleHolder<FamilyModelImpl<E, D>>;

}  // namespace limpid
