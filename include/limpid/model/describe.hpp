#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/model/options_from_json.hpp>

#include <nlohmann/json.hpp>

#include <exception>
#include <string>
#include <type_traits>

// How a network is described in files, and built from its description:
// {"architecture": "resnet", "options": {"width": 64, ...}}.

namespace limpid::detail {

/// What `options()` of a module returns.
template <ModuleHandle H>
using OptionsOf = std::remove_cvref_t<decltype(std::declval<const H&>()->options())>;

/// Whether a module can be described by its options and built from them.
template <class H>
concept HasJSONOptions = requires(const H& handle, const nlohmann::json& json,
                                  OptionsOf<H> options) {
  nlohmann::json(handle->options());
  json.get<OptionsOf<H>>();
  ModuleOf<H>(options);
};

/// {"architecture": ..., "options": ...} of a module; what it does not say is left out.
template <ModuleHandle H>
nlohmann::json describe(const H& handle) {
  nlohmann::json description = nlohmann::json::object();
  if constexpr (requires { ModuleOf<H>::architecture; }) {
    description["architecture"] = std::string{ModuleOf<H>::architecture};
  }
  if constexpr (requires(nlohmann::json & json) { json = handle->options(); }) {
    description["options"] = handle->options();
  }
  return description;
}

/// A module of type H as `description` says, with fresh weights. Options that it does not name have
/// their defaults: files stay readable when a network gets one more.
/// @throws c10::Error that begins with `source` if it describes another architecture, or options
/// that are unknown or out of range.
template <ModuleHandle H>
H construct(const nlohmann::json& description, const std::string& source) {
  std::string of = "of the network";
  if constexpr (requires { ModuleOf<H>::architecture; }) {
    const auto found = description.value("architecture", std::string{"none"});
    TORCH_CHECK(found == ModuleOf<H>::architecture, source, ": expected architecture '",
                ModuleOf<H>::architecture, "', found '", found, "'");
    of = "of " + found;
  }
  if constexpr (HasJSONOptions<H>) {
    if (description.contains("options")) {
      try {
        return H{options_from_json<OptionsOf<H>>(description["options"], of)};
      } catch (const c10::Error& error) {
        const std::string text = error.what_without_backtrace();
        limpid::fail(text.rfind(source, 0) == 0 ? text : source + ": " + text);
      } catch (const nlohmann::json::exception&) {
        throw;
      } catch (const std::exception& error) {  // sizes that no vector has
        limpid::fail(source, ": its options cannot be built (", error.what(), ")");
      }
    }
  }
  return H{};
}

}  // namespace limpid::detail
