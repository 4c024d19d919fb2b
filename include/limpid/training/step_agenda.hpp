#pragma once

#include <array>
#include <cstddef>

namespace limpid::detail {

/// What several processes agree on with each step, so that all do the same after it.
struct StepAgenda {
  bool stop = false;            ///< any of them was asked to stop
  double seconds = 0;           ///< of training so far, by the first one's clock
  bool validation_due = false;  ///< by that clock

  static constexpr std::size_t kNumbers = 5;

  /// As floats whose sums over the processes say the same; seconds are those of the first alone, in
  /// three parts, so that no digit is lost.
  std::array<float, kNumbers> to_floats(bool is_first) const {
    std::array<float, kNumbers> numbers{stop ? 1.0f : 0.0f};
    if (!is_first) return numbers;
    numbers[1] = validation_due ? 1.0f : 0.0f;
    double rest = seconds;
    for (std::size_t i = 2; i < kNumbers; ++i) {
      numbers[i] = static_cast<float>(rest);
      rest -= numbers[i];
    }
    return numbers;
  }

  static StepAgenda of_sums(const float* sums) {
    return {sums[0] > 0, double{sums[2]} + sums[3] + sums[4], sums[1] > 0};
  }
};

}  // namespace limpid::detail
