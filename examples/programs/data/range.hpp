#pragma once

// Options that take one number or a range: 1, or 0.6:1.8.

#include <cmath>
#include <cstdlib>
#include <string>

#include "../program.hpp"

namespace examples {

struct NumberRange {
  double low = 0;
  double high = 0;
};

/// Reads "LOW:HIGH" or "N".
/// @throws UsageError that names the option, unless least <= LOW <= HIGH <= most.
inline NumberRange parse_range(const std::string& option, const std::string& text, double least,
                               double most) {
  const auto colon = text.find(':');
  const auto number = [&](const std::string& part) {
    char* end = nullptr;
    const auto value = std::strtod(part.c_str(), &end);
    const bool good = !part.empty() && *end == '\0' && std::isfinite(value);
    return good ? value : std::nan("");
  };
  NumberRange range{number(text.substr(0, colon)), 0};
  range.high = colon == text.npos ? range.low : number(text.substr(colon + 1));
  if (!(least <= range.low && range.low <= range.high && range.high <= most)) {
    const auto shown = [](double value) {
      auto digits = std::to_string(value);
      digits.erase(digits.find_last_not_of('0') + 1);
      if (digits.back() == '.') digits.pop_back();
      return digits;
    };
    throw UsageError(option + ": expected a number N or a range LOW:HIGH within " + shown(least) +
                     " ... " + shown(most) + ", found '" + text + "'");
  }
  return range;
}

}  // namespace examples
