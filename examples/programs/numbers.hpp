#pragma once

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

// Numbers on command lines: whatever is none, has no end or does not fit is one readable line.
namespace examples {

inline std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

/// Takes a whole number from `least` to `most`; "3e9", "1.5", "nan" and what overflows are none.
struct Whole : CLI::Validator {
  explicit Whole(std::int64_t least = 1,
                 std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    func_ = [=](std::string& text) -> std::string {
      errno = 0;
      char* end = nullptr;
      const long long value = std::strtoll(text.c_str(), &end, 10);
      const bool whole = !text.empty() && end == text.c_str() + text.size() && errno == 0;
      if (whole && value >= least && value <= most) return {};
      const bool open = most == std::numeric_limits<std::int64_t>::max();
      return "expected a whole number from " + std::to_string(least) +
             (open ? " on" : " to " + std::to_string(most)) + ", got '" + text + "'";
    };
  }
};

/// Takes a number from `least` to `most`, or above `least` where `above` says so.
struct Real : CLI::Validator {
  explicit Real(double least = 0, double most = std::numeric_limits<double>::max(),
                bool above = false) {
    func_ = [=](std::string& text) -> std::string {
      errno = 0;
      char* end = nullptr;
      const double value = std::strtod(text.c_str(), &end);
      const bool number =
          !text.empty() && end == text.c_str() + text.size() && std::isfinite(value);
      if (number && value <= most && (above ? value > least : value >= least)) return {};
      const bool open = most == std::numeric_limits<double>::max();
      return "expected a number " + std::string{above ? "above " : "from "} + number_text(least) +
             (open ? (above ? "" : " on") : " to " + number_text(most)) + ", got '" + text + "'";
    };
  }
};

/// Takes a learning rate. One above 1 moves every weight by more than its own size in a step, so
/// it ends where numbers do; it is refused before the work.
inline Real rate() { return Real{0, 1, true}; }

/// Takes the weight of a loss beside others, above 0; more would leave float32 nothing of those.
inline Real weight() { return Real{0, 1e6, true}; }

/// The same for a loss that can be left out.
inline Real weight_or_none() { return Real{0, 1e6}; }

/// Takes a share of a moving average, below 1; with 1 nothing would ever come in.
inline Real share_of_average() { return Real{0, 0.9999999}; }

/// Takes minutes; more than a century is a slip of the keyboard.
inline Real minutes() { return Real{0, 6e7, true}; }

}  // namespace examples
