#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/named.hpp>

#include <c10/util/Exception.h>

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

// Options of a thing that a user chooses by name: they have names, too.

#ifdef LIMPID_BODIES
#include <algorithm>
#endif

namespace limpid {

/// Something whose options can be set by name, on a command line or in a file. It has
/// `static void each_option(auto& self, auto&& visit)`, which calls
/// `visit("size", self.size, "pixels")` for each option: its name (`is_table_name`), the member (an
/// `Interval`, a `double`, a `std::int64_t`, a `bool`, or a type with functions
/// `read_option(text, value)` and `option_text(value)` beside it), and one line for help.
template <class T>
concept HasOptionsByName = requires(T& thing, const T& constant) {
  T::each_option(thing, [](std::string_view, auto&, std::string_view) {});
  T::each_option(constant, [](std::string_view, const auto&, std::string_view) {});
};

/// Options in words, as a command line has them: {{"size", "7:17"}, {"gamma", "2.2"}}.
using OptionTexts = std::vector<std::pair<std::string, std::string>>;

namespace detail {

/// `text` up to the first `mark` that stands outside of parentheses, or all of it.
LIMPID_INLINE std::string_view until(std::string_view text, char mark);

}  // namespace detail

/// The name of a thing and its options in words. On a command line `BehindName` stands between the
/// name and the first option, commas between options: "motion-blur,size=7:17", "cagrad:c=0.4".
/// What stands in parentheses belongs to a value: "mixture,parts=haze@0.5(beta=1,tint=0)+jpeg".
template <char BehindName>
struct TextByName {
  std::string name;
  OptionTexts options{};

  /// @throws c10::ValueError for a piece without '='.
  static TextByName parse(std::string_view text) {
    TextByName result{std::string{detail::until(text, BehindName)}};
    for (auto rest = text.substr(result.name.size()); !rest.empty();) {
      rest.remove_prefix(1);
      const auto piece = detail::until(rest, ',');
      rest.remove_prefix(piece.size());
      const auto equals = piece.find('=');
      TORCH_CHECK_VALUE(equals != piece.npos, "'", text, "': expected NAME", BehindName,
                        "OPTION=VALUE,..., found '", piece, "'");
      result.options.emplace_back(piece.substr(0, equals), piece.substr(equals + 1));
    }
    return result;
  }
};

namespace detail {

template <class T>
concept OptionNumber = (std::integral<T> || std::floating_point<T>)&&!std::same_as<T, bool>;

template <OptionNumber Number>
void read_option(std::string_view text, Number& number) {
  const auto* end = text.data() + text.size();
  Number read{};
  const auto result = std::from_chars(text.data(), end, read);
  const bool good = result.ec == std::errc{} && result.ptr == end;
  TORCH_CHECK_VALUE(good && std::isfinite(static_cast<double>(read)), "expected ",
                    std::integral<Number> ? "a whole number" : "a number", ", found '", text, "'");
  number = read;
}

LIMPID_INLINE void read_option(std::string_view text, Interval& interval);

LIMPID_INLINE void read_option(std::string_view text, bool& yes);

template <OptionNumber Number>
std::string option_text(Number number) {
  return Interval{static_cast<double>(number)}.text();
}

LIMPID_INLINE std::string option_text(const Interval& interval);

template <std::same_as<bool> Yes>
std::string option_text(Yes yes) {
  return yes ? "yes" : "no";
}

}  // namespace detail

/// Sets one option to what `text` says: "7:17" or "9" for an interval, yes or no, a number.
///
/// @throws c10::ValueError that lists the options if there is none of this name, and that quotes a
///   text that is no value; what the value means is checked by the thing itself.
template <HasOptionsByName T>
void set_option(T& thing, std::string_view option, std::string_view text) {
  bool found = false;
  T::each_option(thing, [&](std::string_view name, auto& value, std::string_view) {
    using detail::read_option;
    if (!means_name(option, name)) return;
    found = true;
    try {
      read_option(text, value);
    } catch (const c10::ValueError& error) {
      limpid::refuse(name, ": ", error.what_without_backtrace());
    }
  });
  if (found) return;
  std::vector<std::string> names;
  T::each_option(thing, [&](std::string_view name, auto&, std::string_view) {
    names.push_back(std::string{name});
  });
  detail::refuse_name("an option", names, option);
}

/// "size 7:17, gamma 1"
template <HasOptionsByName T>
std::string options_text(const T& thing) {
  std::string text;
  T::each_option(thing, [&](std::string_view name, const auto& value, std::string_view) {
    using detail::option_text;
    text += (text.empty() ? "" : ", ") + std::string{name} + " " + option_text(value);
  });
  return text;
}

/// @throws c10::ValueError for an option that is set twice.
LIMPID_INLINE void check_set_once(const OptionTexts& options);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string_view until(std::string_view text, char mark) {
  std::int64_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (depth <= 0 && text[i] == mark) return text.substr(0, i);
  }
  return text;
}

LIMPID_INLINE void read_option(std::string_view text, Interval& interval) {
  interval = Interval::parse(text);
}

LIMPID_INLINE void read_option(std::string_view text, bool& yes) {
  const bool is_yes = text == "yes" || text == "true" || text == "1";
  TORCH_CHECK_VALUE(is_yes || text == "no" || text == "false" || text == "0",
                    "expected yes or no, found '", text, "'");
  yes = is_yes;
}

LIMPID_INLINE std::string option_text(const Interval& interval) { return interval.text(); }

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void check_set_once(const OptionTexts& options) {
  for (const auto& option : options) {
    const auto same = std::count_if(options.begin(), options.end(), [&](const auto& other) {
      return means_name(other.first, option.first);
    });
    TORCH_CHECK_VALUE(same == 1, "'", option.first, "' is named twice");
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
