#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>

namespace limpid {

/// Learning rate of one unit of a run, from the rate it starts with. Units are epochs where the
/// run's length is given in epochs, else steps. A lambda is one.
using Schedule = std::function<double(double initial_rate, std::int64_t unit, std::int64_t units)>;

/// Constant, then linear, reaching `final_rate` in the last unit.
///
/// Source: thesis, sec. 4.3: 40 epochs at 1e-4, then linear to 1e-7 over 40 more.
/// Differs: the published code divides by all epochs and ends at 5e-5.
struct ConstantThenLinear {
  double constant_share = 0.5;  ///< of the units
  double final_rate = 1e-7;

  double operator()(double initial_rate, std::int64_t unit, std::int64_t units) const {
    const auto constant = std::llround(constant_share * static_cast<double>(units));
    if (unit < constant) return initial_rate;
    const auto decaying = static_cast<double>(units - constant);
    const auto done = std::min(1.0, static_cast<double>(unit - constant + 1) / decaying);
    return std::lerp(initial_rate, final_rate, done);  // exact at both ends
  }
};

/// Linear warm-up, then half a cosine down to `final_rate` in the last unit.
///
/// Source: Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts.
struct CosineDecay {
  double warmup_share = 0.02;  ///< of the units
  double final_rate = 1e-7;

  double operator()(double initial_rate, std::int64_t unit, std::int64_t units) const {
    const auto warmup = std::llround(warmup_share * static_cast<double>(units));
    if (unit < warmup) {
      return initial_rate * static_cast<double>(unit + 1) / static_cast<double>(warmup + 1);
    }
    const auto decaying = static_cast<double>(std::max<std::int64_t>(1, units - warmup - 1));
    const auto done = std::min(1.0, static_cast<double>(unit - warmup) / decaying);
    return final_rate +
           (initial_rate - final_rate) * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
  }
};

}  // namespace limpid
