#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/input_file.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/printable.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

/// How much JSON is read. The defaults hold all that programs of this field write: COCO's largest
/// file of boxes has half a gigabyte, and nothing nests deeper than a few brackets.
struct JsonLimits {
  std::uint64_t bytes = std::uint64_t{1} << 30;
  std::size_t depth = 64;  ///< brackets within brackets
};

namespace detail {

/// The deepest nesting of brackets outside of strings; stops counting above `limit`.
LIMPID_INLINE std::size_t json_depth(std::string_view text, std::size_t limit);

}  // namespace detail

/// Parses JSON of unknown origin within limits of size and depth.
///
/// @param where  how errors begin, without a colon: "scores 'a.json'"
/// @throws c10::Error that says what was found, and where in the text.
LIMPID_INLINE nlohmann::json parse_json(std::string_view text, const std::string& where,
                                        const JsonLimits& limits = {});

/// Reads a file of JSON within limits of size and depth.
///
/// @param what  how errors call it: "scores" in "scores 'a.json': ..."
/// @throws c10::Error that names the file.
LIMPID_INLINE nlohmann::json read_json(const std::filesystem::path& path, const std::string& what,
                                       const JsonLimits& limits = {});

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::size_t json_depth(std::string_view text, std::size_t limit) {
  std::size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size() && deepest <= limit; ++i) {
    const auto byte = text[i];
    if (in_string) {
      if (byte == '\\') ++i;
      if (byte == '"') in_string = false;
    } else if (byte == '"') {
      in_string = true;
    } else if (byte == '[' || byte == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((byte == ']' || byte == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE nlohmann::json parse_json(std::string_view text, const std::string& where,
                                        const JsonLimits& limits) {
  TORCH_CHECK(text.size() <= limits.bytes, where, ": expected at most ", limits.bytes,
              " bytes of JSON, found ", text.size());
  TORCH_CHECK(text.find_first_not_of(" \t\r\n") != text.npos, where,
              ": expected JSON, found nothing");
  TORCH_CHECK(detail::json_depth(text, limits.depth) <= limits.depth, where,
              ": expected JSON of at most ", limits.depth, " nested brackets, found more");
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    const auto at = std::min(text.size(), error.byte > 0 ? error.byte - 1 : 0);
    const auto end = at == text.size() ? std::string{" (cut short?)"} : std::string{};
    const auto found = at == text.size() ? "the end" : "'" + printable(text.substr(at), 40) + "'";
    limpid::fail(where, ": expected JSON, found ", found, " at byte ", at, end);
  } catch (const nlohmann::json::exception& error) {  // a number that no double holds
    limpid::fail(where, ": expected JSON, found what cannot be read (", printable(error.what()),
                 ")");
  }
}

LIMPID_INLINE nlohmann::json read_json(const std::filesystem::path& path, const std::string& what,
                                       const JsonLimits& limits) {
  InputFile file{path, what};
  const auto where = what + " '" + path.string() + "'";
  TORCH_CHECK(file.size() <= limits.bytes, where, ": expected at most ", limits.bytes,
              " bytes of JSON, found ", file.size());
  return parse_json(file.read(0, file.size()), where, limits);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
