#pragma once

#include <limpid/core/compiled.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// One shape for all that a user chooses by its name, on a command line or in a file: a table.

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Whether a table may call something `name`: words of lower-case letters and digits, one hyphen
/// between two of them.
constexpr bool is_table_name(std::string_view name) {
  char last = '-';
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!letter && (c != '-' || last == '-')) return false;
    last = c;
  }
  return last != '-';
}

/// Whether a user who wrote `written` means the entry called `name`. An underscore is taken for a
/// hyphen, as in files of limpid 0.1; this is the only place that knows of it.
constexpr bool means_name(std::string_view written, std::string_view name) {
  return std::equal(written.begin(), written.end(), name.begin(), name.end(),
                    [](char a, char b) { return a == b || (a == '_' && b == '-'); });
}

namespace detail {

/// How many letters have to be put in, taken out or exchanged (Levenshtein 1966).
LIMPID_INLINE std::size_t edits_between(std::string_view a, std::string_view b);

LIMPID_INLINE std::string joined_names(const std::vector<std::string>& names);

/// "expected a critic, one of patch, double-scale; got 'pach', did you mean 'patch'?"
/// @throws c10::ValueError, always.
[[noreturn]] LIMPID_INLINE void refuse_name(std::string_view kind,
                                            const std::vector<std::string>& names,
                                            std::string_view written);

/// @throws c10::ValueError, always. Not constexpr, so that a wrong table does not compile.
[[noreturn]] LIMPID_INLINE void refuse_entry(std::string_view kind, std::string_view name);

}  // namespace detail

/// An entry of a table.
template <class T>
struct Named {
  std::string_view name;  ///< as users write it: `is_table_name`
  std::string_view what;  ///< one line for help texts, without a full stop
  T value;                ///< what the name stands for, or a function that makes it
};

template <class T>
Named(std::string_view, std::string_view, T) -> Named<T>;

/// What a table shows of an entry.
struct NamedLine {
  std::string_view name, what;
};

// What tables do without regard to the types of their values: compiled once, not for each table.
namespace detail {

/// The place of the line that a user who wrote `written` means; behind the last if there is none.
constexpr std::size_t line_of(std::span<const NamedLine> lines, std::string_view written) {
  std::size_t place = 0;
  while (place < lines.size() && !means_name(written, lines[place].name)) ++place;
  return place;
}

/// @throws c10::ValueError for a name that is no `is_table_name`, or that comes twice.
constexpr void check_names(std::string_view kind, std::span<const NamedLine> lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    bool fits = is_table_name(lines[i].name);
    for (std::size_t j = 0; j < i; ++j) fits = fits && lines[j].name != lines[i].name;
    if (!fits) refuse_entry(kind, lines[i].name);
  }
}

LIMPID_INLINE std::vector<std::string> names_of(std::span<const NamedLine> lines);

LIMPID_INLINE std::string help_of(std::span<const NamedLine> lines);

}  // namespace detail

/// What can be chosen by name, of one kind and in the order of help texts. The types of the values
/// may differ: functions that each make a critic of another type, for one.
///
/// ```
/// inline constexpr NamedTable kShapes{"a shape", Named{"round", "a circle", Circle{}},
///                                                Named{"four-square", "a square", Square{}}};
/// kShapes.with("round", [](const auto& shape) { draw(shape); });
/// ```
/// A name that is no `is_table_name`, or comes twice, does not compile in a `constexpr` table.
template <class... Values>
requires(sizeof...(Values) > 0) class NamedTable {
  using First = std::tuple_element_t<0, std::tuple<Values...>>;
  static constexpr bool kAlike = (std::same_as<Values, First> && ...);
  using Entries = std::conditional_t<kAlike, std::array<Named<First>, sizeof...(Values)>,
                                     std::tuple<Named<Values>...>>;

 public:
  /// @param kind  what the entries are, with its article: "a critic"
  /// @throws c10::ValueError for a name that is no `is_table_name`, or that comes twice.
  constexpr NamedTable(std::string_view kind, Named<Values>... entries)
      : kind_(kind),
        lines_{NamedLine{entries.name, entries.what}...},
        entries_{std::move(entries)...} {
    detail::check_names(kind_, lines_);
  }

  /// What the entries are: "a critic".
  constexpr std::string_view kind() const { return kind_; }

  static constexpr std::size_t size() { return sizeof...(Values); }

  /// Calls `f(entry)` for each entry, in order.
  template <class F>
  constexpr void for_each(F&& f) const {
    if constexpr (kAlike) {
      for (const auto& entry : entries_) f(entry);
    } else {
      std::apply([&](const auto&... entry) { (f(entry), ...); }, entries_);
    }
  }

  /// All names, in order.
  std::vector<std::string> names() const { return detail::names_of(lines_); }

  /// The names in one line: "patch, double-scale".
  std::string list() const { return detail::joined_names(names()); }

  /// One line per entry, name and text, for help.
  std::string help() const { return detail::help_of(lines_); }

  constexpr bool contains(std::string_view written) const {
    return detail::line_of(lines_, written) < size();
  }

  /// The name as this table spells it.
  /// @throws c10::ValueError as `with`.
  std::string spelled(std::string_view written) const {
    return std::string{lines_[place_of(written)].name};
  }

  /// `f(value)` of the entry with this name; `f` returns the same type for each.
  /// @throws c10::ValueError with all names, and the nearest, if there is none of this name.
  template <class F>
  auto with(std::string_view written, F&& f) const {
    const auto place = place_of(written);
    if constexpr (kAlike) {
      return f(entries_[place].value);
    } else {
      return with_place<0>(place, f);
    }
  }

  /// The value with this name, where all are of one type.
  /// @throws c10::ValueError as `with`.
  const auto& at(std::string_view written) const requires(kAlike) {
    return entries_[place_of(written)].value;
  }

 private:
  std::size_t place_of(std::string_view written) const {
    const auto place = detail::line_of(lines_, written);
    if (place == size()) detail::refuse_name(kind_, names(), written);
    return place;
  }

  template <std::size_t I, class F>
  auto with_place(std::size_t place, F&& f) const {
    if constexpr (I + 1 < sizeof...(Values)) {
      if (place != I) return with_place<I + 1>(place, f);
    }
    return f(std::get<I>(entries_).value);
  }

  std::string_view kind_;
  std::array<NamedLine, sizeof...(Values)> lines_;
  Entries entries_;
};

/// The same for a list that is only known at run time, of things that have a `name`: metrics of
/// the library and those that a program adds.
///
/// @return  the one of `items` that a user who wrote `written` means.
/// @throws c10::ValueError with all names, and the nearest, if there is none.
template <class Items>
const auto& find_named(std::string_view kind, const Items& items, std::string_view written) {
  for (const auto& item : items) {
    if (means_name(written, item.name)) return item;
  }
  std::vector<std::string> names;
  for (const auto& item : items) names.emplace_back(item.name);
  detail::refuse_name(kind, names, written);
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto exchanged = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({exchanged, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

LIMPID_INLINE std::string joined_names(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

LIMPID_INLINE void refuse_name(std::string_view kind, const std::vector<std::string>& names,
                               std::string_view written) {
  std::string hint;
  std::size_t nearest = 1 + std::min<std::size_t>(2, written.size() / 3);
  // A line's worth: what comes from a file may be of any length.
  for (std::size_t i = 0; i < names.size() && written.size() <= 80; ++i) {
    const auto edits = edits_between(written, names[i]);
    if (edits >= nearest) continue;
    nearest = edits;
    hint = ", did you mean '" + names[i] + "'?";
  }
  limpid::refuse("expected ", kind, ", one of ", joined_names(names), "; got '",
                 written.substr(0, 80), written.size() > 80 ? "...'" : "'", hint);
}

LIMPID_INLINE void refuse_entry(std::string_view kind, std::string_view name) {
  limpid::refuse("a table of ", kind, ": '", name,
                 "' comes twice, or is not of lower-case words with hyphens between them");
}

LIMPID_INLINE std::vector<std::string> names_of(std::span<const NamedLine> lines) {
  std::vector<std::string> names;
  for (const auto& line : lines) names.emplace_back(line.name);
  return names;
}

LIMPID_INLINE std::string help_of(std::span<const NamedLine> lines) {
  std::string text;
  for (const auto& line : lines) {
    text.append(line.name).append(": ").append(line.what).append("\n");
  }
  return text;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
