#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace limpid {

/// A string that can be a template argument: `ResNetDecoder<"deblur">`.
template <std::size_t N>
struct FixedString {
  char characters[N]{};

  consteval FixedString(const char (&text)[N]) { std::copy_n(text, N, characters); }

  constexpr std::string_view view() const { return {characters, N - 1}; }
  constexpr operator std::string_view() const { return view(); }
};

/// Whether `name` can name a task: lower-case letters, digits, '-' and '_', at least one.
/// It becomes a key in files and an argument on command lines.
constexpr bool is_task_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

namespace detail {

template <const std::string_view&... parts>
inline constexpr auto kJoinedCharacters = [] {
  std::array<char, (parts.size() + ...)> all{};
  auto* end = all.data();
  ((end = std::copy(parts.begin(), parts.end(), end)), ...);
  return all;
}();

/// Names put together at compile time: of a component that holds another.
template <const std::string_view&... parts>
inline constexpr std::string_view kJoinedNames{kJoinedCharacters<parts...>.data(),
                                               kJoinedCharacters<parts...>.size()};

}  // namespace detail
}  // namespace limpid
