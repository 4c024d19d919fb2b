#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/named.hpp>

#include <c10/util/Exception.h>

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace limpid {

/// A degradation whose options can be set by name, on a command line or in a file. It has
///  - `static void each_option(auto& self, auto&& visit)`, which calls
///    `visit("size", self.size, "pixels")` for each option: its name (`is_table_name`), the member
///    (an `Interval`, a `double` or a `std::int64_t`), and one line for help;
///  - `void check() const`, which throws c10::ValueError for options out of range.
template <class D>
concept DegradationWithOptions = Degradation<D> && std::default_initializable<D> &&
    requires(D& degradation, const D& constant) {
  D::each_option(degradation, [](std::string_view, auto&, std::string_view) {});
  D::each_option(constant, [](std::string_view, const auto&, std::string_view) {});
  constant.check();
};

namespace detail {

template <class Number>
void read_option(std::string_view text, Number& number) {
  const auto* end = text.data() + text.size();
  Number read{};
  const auto result = std::from_chars(text.data(), end, read);
  const bool good = result.ec == std::errc{} && result.ptr == end;
  TORCH_CHECK_VALUE(good && std::isfinite(static_cast<double>(read)), "expected ",
                    std::integral<Number> ? "a whole number" : "a number", ", found '", text, "'");
  number = read;
}

inline void read_option(std::string_view text, Interval& interval) {
  interval = Interval::parse(text);
}

}  // namespace detail

/// Sets one option to what `text` says: "7:17" or "9" for an interval, a number for others.
///
/// @throws c10::ValueError that lists the options if there is none of this name, and that quotes a
///   text that is no value; what the value means is checked by `check()`.
template <DegradationWithOptions D>
void set_option(D& degradation, std::string_view option, std::string_view text) {
  bool found = false;
  std::vector<std::string> names;
  D::each_option(degradation, [&](std::string_view name, auto& value, std::string_view) {
    names.emplace_back(name);
    if (!means_name(option, name)) return;
    found = true;
    try {
      detail::read_option(text, value);
    } catch (const c10::ValueError& error) {
      limpid::refuse(name, ": ", error.what_without_backtrace());
    }
  });
  if (!found) detail::refuse_name("an option", names, option);
}

/// "size 7:17, gamma 1"
template <DegradationWithOptions D>
std::string options_text(const D& degradation) {
  std::string text;
  D::each_option(degradation, [&](std::string_view name, const auto& value, std::string_view) {
    text +=
        (text.empty() ? "" : ", ") + std::string{name} + " " + static_cast<Interval>(value).text();
  });
  return text;
}

}  // namespace limpid
