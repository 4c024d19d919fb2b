#pragma once

#include <limpid/core/named.hpp>
#include <limpid/model/options_from_json.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// Networks by the name of their family, with the options that differ from its defaults.
struct Network {
  std::string family;

  /// A key is an option of the encoder, or of the decoder where only that has it; those of the
  /// decoder follow the encoder's. `{"encoder": {...}}` and `{"decoder": {...}}` name one of both.
  nlohmann::json options = nlohmann::json::object();
};

namespace detail {

/// "a=1,b=[2,3],c.d=x" at the commas outside of brackets and quotes.
inline std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  for (const char c : text) {
    quoted ^= c == '"';
    if (!quoted && (c == '[' || c == '{')) ++depth;
    if (!quoted && (c == ']' || c == '}')) --depth;
    if (c == ',' && depth == 0 && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// A value on a command line: JSON, or a word without quotes.
inline nlohmann::json option_value(const std::string& text) {
  auto value = nlohmann::json::parse(text, nullptr, false);
  return value.is_discarded() ? nlohmann::json(text) : value;
}

}  // namespace detail

/// Options as a command line has them: `width=16,decoder.blocks=[1,1,1,1]`, or JSON.
/// @throws c10::ValueError where that is neither.
inline nlohmann::json parse_network_options(const std::string& text) {
  if (text.empty()) return nlohmann::json::object();
  if (text.find_first_not_of(" \t\n") != text.npos &&
      text[text.find_first_not_of(" \t\n")] == '{') {
    auto json = nlohmann::json::parse(text, nullptr, false);
    TORCH_CHECK_VALUE(json.is_object(), "network options: expected a JSON object, got '",
                      text.substr(0, 80), "'");
    return json;
  }
  auto options = nlohmann::json::object();
  for (const auto& part : detail::split_options(text)) {
    const auto equals = part.find('=');
    TORCH_CHECK_VALUE(equals != part.npos && equals > 0,
                      "network options: expected KEY=VALUE, got '", part.substr(0, 80), "'");
    auto* place = &options;
    std::size_t begin = 0;
    for (auto dot = part.find('.'); dot < equals; dot = part.find('.', begin)) {
      place = &(*place)[part.substr(begin, dot - begin)];
      begin = dot + 1;
      TORCH_CHECK_VALUE(place->is_null() || place->is_object(), "network options: '",
                        part.substr(0, equals), "' is named twice");
    }
    auto& option = (*place)[part.substr(begin, equals - begin)];
    TORCH_CHECK_VALUE(option.is_null(), "network options: '", part.substr(0, equals),
                      "' is named twice");
    option = detail::option_value(part.substr(equals + 1));
  }
  return options;
}

/// "nafnet", "nafnet:width=16,middle_blocks=1" or `nafnet:{"width": 16}`.
/// @throws c10::ValueError where the options cannot be read. The family's name is looked up later.
inline Network parse_network(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == text.npos) return {text};
  return {text.substr(0, colon), parse_network_options(text.substr(colon + 1))};
}

}  // namespace limpid
