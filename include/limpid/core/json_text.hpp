#pragma once

#include <limpid/core/compiled.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>

// The one place that turns JSON into text, so that no file name can make it fail.

#ifdef LIMPID_BODIES
#include <limpid/core/printable.hpp>
#endif

namespace limpid {

/// JSON as the text of a file: indented, a newline at its end. Bytes of file names that are not
/// UTF-8 become U+FFFD (`as_utf8`).
template <class Json>
std::string json_text(const Json& json, int indent = 2) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// JSON in one line without a newline, as metadata and logs hold it.
template <class Json>
std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace detail {

/// Appends the beginning of `json`; each level adds a byte, so that the length bounds the depth.
LIMPID_INLINE void append_excerpt(std::string& text, const nlohmann::json& json,
                                  std::size_t longest);

}  // namespace detail

/// JSON of unknown origin as an error may show it: its beginning, safe for a terminal, whatever
/// its size and depth.
LIMPID_INLINE std::string json_excerpt(const nlohmann::json& json, std::size_t longest = 80);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void append_excerpt(std::string& text, const nlohmann::json& json,
                                  std::size_t longest) {
  if (text.size() > longest) return;
  if (json.is_string()) {
    const auto& whole = json.get_ref<const std::string&>();
    text += '"' + whole.substr(0, longest + 1) + '"';
  } else if (json.is_structured()) {
    text += json.is_object() ? '{' : '[';
    const auto start = text.size();
    for (auto item = json.begin(); item != json.end() && text.size() <= longest; ++item) {
      if (text.size() > start) text += ',';
      if (json.is_object()) text += '"' + item.key().substr(0, longest + 1) + "\":";
      append_excerpt(text, *item, longest);
    }
    text += json.is_object() ? '}' : ']';
  } else {
    text += json_line(json);
  }
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE std::string json_excerpt(const nlohmann::json& json, std::size_t longest) {
  std::string text;
  detail::append_excerpt(text, json, longest);
  return printable(text, longest);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
