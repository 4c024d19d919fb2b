#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/layers/prompt_gate.hpp>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace limpid {

/// Features whose coarsest map can be changed: a tensor, or a struct of tensors with a member
/// `at::Tensor& coarsest()`.
template <class F>
concept HasCoarsestMap = std::same_as<F, at::Tensor> || requires(F features) {
  { features.coarsest() } -> std::same_as<at::Tensor&>;
};

/// A decoder that says how many channels the coarsest map of its features has, with a member
/// `std::int64_t coarsest_channels() const`.
template <class D>
concept PromptableDecoder = Decoder<D> && requires(const D& decoder) {
  { decoder->coarsest_channels() } -> std::same_as<std::int64_t>;
};

/// Options of a `Prompted` decoder: the decoder's own, and one more.
template <class DecoderOptions>
struct PromptedOptions {
  DecoderOptions decoder{};
  std::int64_t prompt = 5;  ///< how many prompts; 0: none, the decoder alone. 5 as published

  /// The decoder's options and `"prompt"` side by side.
  friend void to_json(nlohmann::json& json, const PromptedOptions& options) {
    json = options.decoder;
    json["prompt"] = options.prompt;
  }

  friend void from_json(const nlohmann::json& json, PromptedOptions& options) {
    json.get_to(options.decoder);
    json.at("prompt").get_to(options.prompt);
  }
};

namespace detail {

/// `architecture` of a module, where it has one.
template <class Module>
struct ArchitectureOf {};

template <class Module>
requires requires { Module::architecture; }
struct ArchitectureOf<Module> {
  static constexpr std::string_view architecture = Module::architecture;
};

template <class Features>
at::Tensor& coarsest_of(Features& features) {
  if constexpr (std::same_as<Features, at::Tensor>) {
    return features;
  } else {
    return features.coarsest();
  }
}

}  // namespace detail

/// Any decoder, behind a `PromptGate` at the coarsest map of its features: what the degraded
/// picture is like decides how its channels count.
///
/// Starts as the decoder itself, to the bit. The decoder's parameters keep their names, so weights
/// of the decoder alone load leniently (`{.strict = false}`); the gate's are `prompt.*`.
///
/// @tparam D  `NAFNetDecoder<"deblur">`, say
template <PromptableDecoder D>
class PromptedImpl : public torch::nn::Cloneable<PromptedImpl<D>>,
                     public detail::ArchitectureOf<ModuleOf<D>> {
 public:
  static constexpr std::string_view task = ModuleOf<D>::task;

  /// Takes the module behind the handle; it is shared, not copied.
  /// @throws c10::ValueError if `prompts` is negative.
  explicit PromptedImpl(D decoder, std::int64_t prompts = 5)
      : decoder_(std::move(decoder)), prompts_(prompts) {
    detail::check_at_least("Prompted: prompt", prompts, 0);
    register_all();
  }

  PromptedImpl() : PromptedImpl(D{}) {}

  /// @throws c10::ValueError if the decoder refuses its options, or `prompt` is negative.
  template <class DecoderOptions>
  requires std::constructible_from<ModuleOf<D>, DecoderOptions>
  explicit PromptedImpl(const PromptedOptions<DecoderOptions>& options)
      : PromptedImpl(D{options.decoder}, options.prompt) {}

  void reset() override {  // runs on a copy that still shares the source's modules
    decoder_ = detail::deep_copy(decoder_);
    register_all();
  }

  /// @param features  of an encoder that the decoder reads.
  /// @throws c10::ValueError as the decoder does.
  template <HasCoarsestMap Features>
  requires requires(D decoder, const Features& features) {
    { decoder->forward(features) } -> std::same_as<at::Tensor>;
  }
  at::Tensor forward(const Features& features) {
    if (prompts_ == 0) return decoder_->forward(features);
    auto prompted = features;
    auto& coarsest = detail::coarsest_of(prompted);
    coarsest = gate_->forward(coarsest);
    return decoder_->forward(std::as_const(prompted));
  }

  void train(bool on = true) override {
    torch::nn::Module::train(on);
    decoder_->train(on);  // its layers are registered here, it itself is not
  }

  GlobalSkip skip() const {
    if constexpr (requires { decoder_->skip(); }) {
      return decoder_->skip();
    } else if constexpr (requires { ModuleOf<D>::skip; }) {
      return ModuleOf<D>::skip;
    } else {
      return GlobalSkip::clamped;
    }
  }

  /// How far the restored picture looks, apart from the means that decide on prompts.
  FieldOfView field_of_view(const FieldOfView& features) const requires requires(const D& decoder) {
    decoder->field_of_view(features);
  }
  { return decoder_->field_of_view(features); }

  auto options() const requires requires(const D& decoder) { decoder->options(); }
  {
    return PromptedOptions<std::remove_cvref_t<decltype(decoder_->options())>>{decoder_->options(),
                                                                               prompts_};
  }

  D& decoder() { return decoder_; }

  /// The gate; empty where there is no prompt.
  PromptGate& gate() { return gate_; }

 private:
  /// The decoder's parts as parts of this module, under their own names, and the gate.
  void register_all() {
    for (const auto& item : decoder_->named_children()) {
      this->register_module(item.key(), item.value());
    }
    for (const auto& item : decoder_->named_parameters(/*recurse=*/false)) {
      this->register_parameter(item.key(), item.value(), item.value().requires_grad());
    }
    for (const auto& item : decoder_->named_buffers(/*recurse=*/false)) {
      this->register_buffer(item.key(), item.value());
    }
    if (prompts_ > 0) {
      gate_ = this->register_module("prompt", PromptGate(decoder_->coarsest_channels(), prompts_));
    }
  }

  D decoder_;
  std::int64_t prompts_;
  PromptGate gate_{nullptr};
};

/// Handle to a `PromptedImpl`: `Prompted<NAFNetDecoder<"deblur">>`.
template <PromptableDecoder D>
using Prompted = torch::nn::ModuleHolder<PromptedImpl<D>>;

}  // namespace limpid
