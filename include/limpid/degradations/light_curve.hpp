#pragma once

#include <limpid/core/check.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace limpid {

/// Stored values to light and back, light = stored ^ gamma, by tables: for loops over whole
/// pictures, where `std::pow` would take longer than the rest.
///
/// Light is right to 1e-6, stored values to 3e-5 (a hundredth of a level of 8 bits).
class LightCurve {
 public:
  /// @param gamma  2.2 is that of most pictures; 1: stored values are taken for light.
  /// @throws c10::ValueError if `gamma` is not positive.
  explicit LightCurve(double gamma = 2.2) : plain_(gamma == 1.0) {
    detail::check_positive("LightCurve: gamma", gamma);
    if (plain_) return;
    for (std::size_t i = 0; i < light_.size(); ++i) {
      const auto at = std::min(static_cast<double>(i) / kSteps, 1.0);
      light_[i] = static_cast<float>(std::pow(at, gamma));
      stored_[i] = static_cast<float>(std::pow(at * at, 1 / gamma));
    }
  }

  /// @param stored  taken for 0 below 0 and for 1 above 1
  float light(float stored) const {
    stored = std::clamp(stored, 0.0f, 1.0f);
    return plain_ ? stored : read(light_, stored);
  }

  /// @param light  taken for 0 below 0 and for 1 above 1
  float stored(float light) const {
    light = std::clamp(light, 0.0f, 1.0f);
    // By the root of light, over which the curve is nearly straight down to 0.
    return plain_ ? light : read(stored_, std::sqrt(light));
  }

 private:
  static constexpr float kSteps = 1024;
  using Table = std::array<float, 1026>;

  static float read(const Table& table, float at) {
    const auto place = at * kSteps;
    const auto i = static_cast<std::size_t>(place);
    return table[i] + (place - static_cast<float>(i)) * (table[i + 1] - table[i]);
  }

  bool plain_;
  Table light_{};
  Table stored_{};
};

/// How much brighter than white the light of a pixel was that a camera stored as white or nearly
/// so: `factor` from 1 (as stored) at 0.9 of white in the brightest channel on, smoothly up to all
/// of it at white.
inline float highlight_gain(float brightest_stored, float factor) {
  const auto x = std::clamp((brightest_stored - 0.9f) / 0.1f, 0.0f, 1.0f);
  return 1.0f + (factor - 1.0f) * x * x * (3.0f - 2.0f * x);
}

}  // namespace limpid
