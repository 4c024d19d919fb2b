#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid::detail {

/// A name with wildcards: `#` stands for a whole number, `*` for one or more characters of any
/// kind, dots too.
class NamePattern {
 public:
  explicit NamePattern(std::string text) : text_(std::move(text)) {}

  /// What the wildcards stand for in `name`, in order; nothing where it does not match.
  std::optional<std::vector<std::string>> match(std::string_view name) const;

  /// The name in which the wildcards stand for `captures`.
  std::string fill(const std::vector<std::string>& captures) const;

  /// The wildcards alone, such as "#*".
  std::string wildcards() const;

  const std::string& text() const { return text_; }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  static bool matches(std::string_view pattern, std::string_view name,
                      std::vector<std::string>& captures);

  std::string text_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::optional<std::vector<std::string>> NamePattern::match(
    std::string_view name) const {
  std::vector<std::string> captures;
  if (!matches(text_, name, captures)) return std::nullopt;
  return captures;
}

LIMPID_INLINE std::string NamePattern::fill(const std::vector<std::string>& captures) const {
  std::string name;
  std::size_t next = 0;
  for (const char c : text_) {
    if (c == '#' || c == '*') {
      name += captures.at(next++);
    } else {
      name += c;
    }
  }
  return name;
}

LIMPID_INLINE std::string NamePattern::wildcards() const {
  std::string only;
  for (const char c : text_) {
    if (c == '#' || c == '*') only += c;
  }
  return only;
}

LIMPID_INLINE bool NamePattern::matches(std::string_view pattern, std::string_view name,
                                        std::vector<std::string>& captures) {
  while (!pattern.empty() && pattern[0] != '*' && pattern[0] != '#') {
    if (name.empty() || name[0] != pattern[0]) return false;
    pattern.remove_prefix(1);
    name.remove_prefix(1);
  }
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '#') {
    std::size_t length = 0;
    while (length < name.size() && is_digit(name[length])) ++length;
    const bool plain = length == 1 || (length > 1 && length < 10 && name[0] != '0');
    if (!plain) return false;
    captures.emplace_back(name.substr(0, length));
    if (matches(pattern.substr(1), name.substr(length), captures)) return true;
    captures.pop_back();
    return false;
  }
  const std::size_t shortest = pattern.size() == 1 ? name.size() : 1;  // a last * takes the rest
  for (auto length = shortest; length <= name.size() && length > 0; ++length) {
    captures.emplace_back(name.substr(0, length));
    if (matches(pattern.substr(1), name.substr(length), captures)) return true;
    captures.pop_back();
  }
  return false;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
