#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <charconv>
#include <system_error>
#endif

namespace limpid {

/// The numbers from `low` to `high`: `Interval{7, 17}`. One number stands for the interval that
/// holds only it, so that an option that takes an interval can be fixed: `.size = 9`.
///
/// As JSON it is `[7, 17]`, or the number where both ends are equal; as text `7:17`, or `7`.
class Interval {
 public:
  constexpr Interval() = default;

  constexpr Interval(double number) : Interval(number, number) {}

  /// @throws c10::ValueError unless low <= high and both are finite.
  constexpr Interval(double low, double high) : low_(low), high_(high) {
    constexpr auto most = std::numeric_limits<double>::max();
    TORCH_CHECK_VALUE(-most <= low && low <= high && high <= most,
                      "Interval: expected finite low <= high, got ", low, " and ", high);
  }

  /// Reads "LOW:HIGH" or "NUMBER".
  /// @throws c10::ValueError that quotes the text and says what was expected.
  static Interval parse(std::string_view text);

  constexpr double low() const { return low_; }
  constexpr double high() const { return high_; }

  constexpr bool contains(double number) const { return low_ <= number && number <= high_; }
  constexpr bool contains(const Interval& other) const {
    return low_ <= other.low_ && other.high_ <= high_;
  }

  /// Uniform in [low, high); `low` where both ends are equal.
  double draw(Random& random) const;

  /// "7:17", or "7" where both ends are equal; `parse` gives the same interval back.
  std::string text() const;

  friend constexpr bool operator==(const Interval&, const Interval&) = default;

  friend std::ostream& operator<<(std::ostream& out, const Interval& interval) {
    return out << interval.text();
  }

  template <class Json>
  friend void to_json(Json& json, const Interval& interval) {
    // Whole numbers are written as such: [7, 17] and not [7.0, 17.0].
    const auto number = [](double value) {
      const auto whole = static_cast<std::int64_t>(std::clamp(value, -0x1p53, 0x1p53));
      return static_cast<double>(whole) == value ? Json(whole) : Json(value);
    };
    if (interval.low_ == interval.high_) {
      json = number(interval.low_);
    } else {
      json = Json::array({number(interval.low_), number(interval.high_)});
    }
  }

  /// @throws c10::ValueError unless `json` is a number or two of them, the smaller first.
  template <class Json>
  friend void from_json(const Json& json, Interval& interval) {
    const bool is_pair =
        json.is_array() && json.size() == 2 && json[0].is_number() && json[1].is_number();
    TORCH_CHECK_VALUE(is_pair || json.is_number(),
                      "Interval: expected a number or [low, high], found JSON of type ",
                      json.type_name());
    interval = is_pair ? Interval{json[0].template get<double>(), json[1].template get<double>()}
                       : Interval{json.template get<double>()};
  }

 private:
  static bool read(std::string_view text, double& number);

  static std::string digits(double number);

  double low_ = 0;
  double high_ = 0;
};

namespace detail {

/// "Haze: airlight must lie within 0:1, got 0.7:1.2"
LIMPID_INLINE void check_within(std::string_view name, const Interval& interval,
                                const Interval& limits);

/// "MotionBlur: size must be positive, got 0:17"
LIMPID_INLINE void check_positive(std::string_view name, const Interval& interval);

/// "Haze: beta must not be negative, got -1:2"
LIMPID_INLINE void check_not_negative(std::string_view name, const Interval& interval);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Interval Interval::parse(std::string_view text) {
  const auto colon = text.find(':');
  double low = 0, high = 0;
  const bool good = read(text.substr(0, colon), low) &&
                    read(colon == text.npos ? text : text.substr(colon + 1), high);
  constexpr auto most = std::numeric_limits<double>::max();
  TORCH_CHECK_VALUE(good && -most <= low && low <= high && high <= most,
                    "expected a number N or an interval LOW:HIGH, found '", text, "'");
  return {low, high};
}

LIMPID_INLINE double Interval::draw(Random& random) const { return random.uniform(low_, high_); }

LIMPID_INLINE std::string Interval::text() const {
  return low_ == high_ ? digits(low_) : digits(low_) + ":" + digits(high_);
}

LIMPID_INLINE bool Interval::read(std::string_view text, double& number) {
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc{} && result.ptr == end;
}

LIMPID_INLINE std::string Interval::digits(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE void check_within(std::string_view name, const Interval& interval,
                                const Interval& limits) {
  TORCH_CHECK_VALUE(limits.contains(interval), name, " must lie within ", limits, ", got ",
                    interval);
}

LIMPID_INLINE void check_positive(std::string_view name, const Interval& interval) {
  TORCH_CHECK_VALUE(interval.low() > 0, name, " must be positive, got ", interval);
}

LIMPID_INLINE void check_not_negative(std::string_view name, const Interval& interval) {
  TORCH_CHECK_VALUE(interval.low() >= 0, name, " must not be negative, got ", interval);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
