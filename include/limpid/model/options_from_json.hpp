#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/named.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace limpid {

namespace detail {

/// "a whole number", as errors call a value of this type.
LIMPID_INLINE std::string kind_of_value(const nlohmann::json& value);

/// Whether an option whose default is `usual` can have the value `given`.
LIMPID_INLINE bool is_like(const nlohmann::json& given, const nlohmann::json& usual);

/// A value as an error shows it; what a file says may be of any size and depth.
LIMPID_INLINE std::string shown_value(const nlohmann::json& value);

/// Puts the values of `given` into `options`, which holds all options there are.
/// @param of  whose options they are, as errors say it: "of resnet's encoder"
LIMPID_INLINE void put_options(nlohmann::json& options, const nlohmann::json& given,
                               const std::string& of, const std::string& prefix = "");

}  // namespace detail

/// Options, a struct with `to_json` and `from_json`, of which `given` changes some.
///
/// @param of  whose options they are, as errors say it: "of resnet's encoder"
/// @throws c10::ValueError for a key that is no option, which lists those there are, and for a
///         value of another type than the option's, or that the option cannot hold.
template <class Options>
Options options_from_json(const nlohmann::json& given, const std::string& of,
                          const Options& defaults = {}) {
  nlohmann::json wanted = defaults;
  detail::put_options(wanted, given, of);
  const auto options = wanted.template get<Options>();
  const nlohmann::json held = options;
  for (const auto& [key, value] : wanted.items()) {
    TORCH_CHECK_VALUE(
        held.at(key) == value, "option '", key, "' ", of, ": cannot be ",
        value.is_array() && value.size() < 20 ? json_excerpt(value) : detail::shown_value(value));
  }
  return options;
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string kind_of_value(const nlohmann::json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::boolean:
      return "true or false";
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
      return "a whole number";
    case nlohmann::json::value_t::number_float:
      return "a number";
    case nlohmann::json::value_t::string:
      return "a word";
    case nlohmann::json::value_t::array:
      return "a list";
    case nlohmann::json::value_t::object:
      return "an object";
    default:
      return "nothing";
  }
}

LIMPID_INLINE bool is_like(const nlohmann::json& given, const nlohmann::json& usual) {
  if (usual.is_number_integer()) return given.is_number_integer();
  if (usual.is_number()) return given.is_number();
  if (!usual.is_array()) return given.type() == usual.type();
  if (!given.is_array()) return false;
  for (const auto& item : given) {
    if (!usual.empty() && !is_like(item, usual.front())) return false;
  }
  return true;
}

LIMPID_INLINE std::string shown_value(const nlohmann::json& value) {
  if (value.is_structured()) {
    return kind_of_value(value) + " of " + std::to_string(value.size());
  }
  const auto text = json_excerpt(value, 200);
  return text.size() <= 80 ? text : text.substr(0, 80) + "...";
}

LIMPID_INLINE void put_options(nlohmann::json& options, const nlohmann::json& given,
                               const std::string& of, const std::string& prefix) {
  TORCH_CHECK_VALUE(given.is_object(), "options ", of, ": expected an object, found ",
                    shown_value(given));
  for (const auto& [key, value] : given.items()) {
    if (!options.contains(key)) {
      std::vector<std::string> names;
      for (const auto& item : options.items()) names.push_back(prefix + item.key());
      refuse_name("an option " + of, names, prefix + key);
    }
    auto& option = options[key];
    if (option.is_object() && value.is_object()) {
      put_options(option, value, of, prefix + key + ".");
      continue;
    }
    TORCH_CHECK_VALUE(is_like(value, option), "option '", prefix, key, "' ", of, ": expected ",
                      kind_of_value(option), " like ",
                      option.is_array() ? json_excerpt(option) : shown_value(option), ", got ",
                      shown_value(value));
    option = value;
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
