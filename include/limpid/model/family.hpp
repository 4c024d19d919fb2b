#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/decoders/prompted.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/describe.hpp>
#include <limpid/model/family_model.hpp>
#include <limpid/model/model_file.hpp>
#include <limpid/model/network.hpp>
#include <limpid/model/options_from_json.hpp>
#include <limpid/weights/load_pretrained.hpp>

#include <nlohmann/json.hpp>

#include <concepts>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid {

/// A model from a file, and what the file says beside its tensors.
struct LoadedModel {
  AnyModel model;
  nlohmann::json manifest;
};

/// A pair of encoder and decoder as programs use it, whatever its types are.
struct NetworkFamily {
  std::string_view encoder;     ///< the encoder's architecture: the family's name
  std::string_view decoder;     ///< the decoder's architecture
  bool has_pretrained = false;  ///< whether a part of the encoder comes with ImageNet weights

  /// What the user wrote (`Network::options`) -> `{"encoder": {...}, "decoder": {...}}`, all of
  /// them.
  nlohmann::json (*options)(const nlohmann::json& given) = nullptr;

  /// A model as a manifest describes it, with fresh weights. Errors about the manifest begin with
  /// `source`.
  AnyModel (*build)(const nlohmann::json& manifest, const std::string& source) = nullptr;

  /// Fills the part of a model of this family that comes with ImageNet weights, if it has one.
  WeightsReport (*load_pretrained)(const AnyModel& model,
                                   const std::filesystem::path& path) = nullptr;
};

namespace detail {

/// What `NetworkFamily` asks of a pair.
template <Encoder E, DecoderFor<E> D>
struct FamilyOf {
  using EncoderOptions = OptionsOf<E>;
  using DecoderOptions = OptionsOf<D>;

  /// Whether the option "prompt" makes its decoder a `Prompted` one.
  static constexpr bool kTakesPrompts = PromptableDecoder<D> && HasCoarsestMap<FeaturesOf<E>>;

  using AllOptions =
      std::conditional_t<kTakesPrompts, PromptedOptions<DecoderOptions>, DecoderOptions>;

  // Defined below, so that they are no inline functions, which every program would compile.

  /// Errors are about an option of the family: "an option of nafnet".
  static nlohmann::json options(const nlohmann::json& given);
  static AnyModel build(const nlohmann::json& manifest, const std::string& source);
  static WeightsReport load_pretrained(const AnyModel& model, const std::filesystem::path& path);

 private:
  static nlohmann::json description_of(const nlohmann::json& task) {
    return task.value("decoder", nlohmann::json::object());
  }

  static bool has_prompt(const nlohmann::json& decoder) {
    return decoder.is_object() && decoder.contains("options") && decoder["options"].is_object() &&
           decoder["options"].contains("prompt");
  }

  /// Decoders of one type: where one is prompted, the others are so with no prompt.
  template <class Any>
  static AnyModel build_of(const nlohmann::json& manifest, const std::string& source) {
    auto encoder = construct<E>(manifest.at("encoder"), source);
    std::vector<std::pair<std::string, Any>> decoders;
    for (const auto& task : manifest.at("tasks")) {
      auto description = description_of(task);
      if constexpr (!std::same_as<Any, D>) {
        auto& options = description["options"];
        if (options.is_null() || options.is_object()) options.emplace("prompt", 0);
      }
      decoders.emplace_back(task.at("name").get<std::string>(),
                            construct<Any>(description, source));
    }
    return FamilyModel<E, Any>{std::move(encoder), std::move(decoders)};
  }

  [[noreturn]] static void refuse_option(const std::string& key) {
    const nlohmann::json encoder = EncoderOptions{}, decoder = AllOptions{};
    std::vector<std::string> names;
    for (const auto& item : encoder.items()) names.push_back(item.key());
    for (const auto& item : decoder.items()) names.push_back("decoder." + item.key());
    refuse_name("an option of " + std::string{ModuleOf<E>::architecture}, names, key);
  }
};

template <Encoder E, DecoderFor<E> D>
nlohmann::json FamilyOf<E, D>::options(const nlohmann::json& given) {
  const auto of = "of " + std::string{ModuleOf<E>::architecture};
  const nlohmann::json encoder_defaults = EncoderOptions{}, decoder_defaults = AllOptions{};
  auto for_encoder = nlohmann::json::object(), for_decoder = nlohmann::json::object();
  TORCH_CHECK_VALUE(given.is_object(), "options ", of, ": expected an object, found ",
                    shown_value(given));
  for (const auto& [key, value] : given.items()) {
    if (key != "encoder" && key != "decoder") continue;
    TORCH_CHECK_VALUE(value.is_object(), "options ", of, "'s ", key, ": expected an object, found ",
                      shown_value(value));
    (key == "encoder" ? for_encoder : for_decoder) = value;
  }
  for (const auto& [key, value] : given.items()) {
    if (key == "encoder" || key == "decoder") continue;
    const bool of_encoder = encoder_defaults.contains(key);
    if (!of_encoder && !decoder_defaults.contains(key)) refuse_option(key);
    (of_encoder ? for_encoder : for_decoder).update({{key, value}}, /*merge_objects=*/true);
  }
  const auto encoder = options_from_json<EncoderOptions>(for_encoder, of);
  AllOptions matching;
  if constexpr (kTakesPrompts) {
    matching = {DecoderOptions::matching(encoder), 0};
  } else {
    matching = DecoderOptions::matching(encoder);
  }
  nlohmann::json decoder = options_from_json<AllOptions>(for_decoder, of + "'s decoder", matching);
  if (kTakesPrompts && decoder.at("prompt") == 0) decoder.erase("prompt");
  return {{"encoder", encoder}, {"decoder", decoder}};
}

template <Encoder E, DecoderFor<E> D>
AnyModel FamilyOf<E, D>::build(const nlohmann::json& manifest, const std::string& source) {
  if constexpr (kTakesPrompts) {
    for (const auto& task : manifest.at("tasks")) {
      if (has_prompt(description_of(task))) return build_of<Prompted<D>>(manifest, source);
    }
  }
  return build_of<D>(manifest, source);
}

template <Encoder E, DecoderFor<E> D>
WeightsReport FamilyOf<E, D>::load_pretrained(const AnyModel& model,
                                              const std::filesystem::path& path) {
  if constexpr (requires(E encoder) { encoder->backbone(); }) {
    if (auto* plain = model.module->template as<FamilyModelImpl<E, D>>()) {
      return limpid::load_pretrained(plain->encoder(), path);
    }
    if constexpr (kTakesPrompts) {
      if (auto* prompted = model.module->template as<FamilyModelImpl<E, Prompted<D>>>()) {
        return limpid::load_pretrained(prompted->encoder(), path);
      }
    }
    limpid::refuse("load_pretrained: the model is of another family than ",
                   ModuleOf<E>::architecture);
  } else {
    limpid::refuse("load_pretrained: ", ModuleOf<E>::architecture,
                   " has no part with weights of its own");
  }
}

/// What a model file of new networks would say.
inline nlohmann::json manifest_of(const NetworkFamily& family, const Network& network,
                                  const std::vector<std::string>& tasks) {
  const auto options = family.options(network.options);
  nlohmann::json manifest{
      {"encoder", {{"architecture", family.encoder}, {"options", options.at("encoder")}}},
      {"tasks", nlohmann::json::array()}};
  for (const auto& task : tasks) {
    manifest["tasks"].push_back(
        {{"name", task},
         {"decoder", {{"architecture", family.decoder}, {"options", options.at("decoder")}}}});
  }
  return manifest;
}

}  // namespace detail

/// The table entry of a pair. The encoder's `architecture` is the family's name; both have options
/// that JSON can hold, and the decoder's options a function `matching(encoder_options)`.
///
/// @tparam D  the decoder under any task's name: `NAFNetDecoder<"any">`
/// @param what  one line for help texts
template <Encoder E, DecoderFor<E> D>
consteval Named<NetworkFamily> network_family(std::string_view what) {
  using Family = detail::FamilyOf<E, D>;
  NetworkFamily family{.encoder = ModuleOf<E>::architecture, .decoder = ModuleOf<D>::architecture};
  if constexpr (requires(E encoder) { encoder->pretrained(); }) family.has_pretrained = true;
  family.options = &Family::options;
  family.build = &Family::build;
  family.load_pretrained = &Family::load_pretrained;
  return {family.encoder, what, family};
}

}  // namespace limpid
