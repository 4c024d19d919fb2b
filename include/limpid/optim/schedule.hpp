#pragma once

#include <limpid/core/compiled.hpp>

#include <cstdint>
#include <functional>

#ifdef LIMPID_BODIES
#include <algorithm>
#include <cmath>
#include <numbers>
#endif

namespace limpid {

/// Learning rate of one step of a run, from the rate it starts with. `step` counts from 0, the run
/// has `steps` of them and each epoch `steps_per_epoch`. A lambda is one.
using Schedule = std::function<double(double initial_rate, std::int64_t step, std::int64_t steps,
                                      std::int64_t steps_per_epoch)>;

/// Constant, then linear, reaching `final_rate` in the last step, however short the run.
///
/// Source: thesis, sec. 4.3: 40 epochs at 1e-4, then linear to 1e-7 over 40 more.
/// Differs: the published code divides by all epochs and ends at 5e-5.
struct ConstantThenLinear {
  double constant_share = 0.5;  ///< of the run; 1: constant to the end, whatever `final_rate` says
  double final_rate = 1e-7;
  /// The rate falls at the beginning of an epoch and holds until the next, as in the thesis; where
  /// fewer than two epochs are left to fall in, with each step.
  bool by_epochs = false;

  double operator()(double initial_rate, std::int64_t step, std::int64_t steps,
                    std::int64_t steps_per_epoch) const;

 private:
  std::int64_t constant_of(std::int64_t units) const;

  double rate(double initial_rate, std::int64_t unit, std::int64_t units) const;
};

/// Linear warm-up, then half a cosine down to `final_rate` in the last step, however short the run.
///
/// Source: Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts.
struct CosineDecay {
  double warmup_share = 0.02;  ///< of the run
  double final_rate = 1e-7;
  double warmup_epochs = 0;  ///< where above 0, the warm-up's length instead of `warmup_share`

  double operator()(double initial_rate, std::int64_t step, std::int64_t steps,
                    std::int64_t steps_per_epoch) const;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE double ConstantThenLinear::operator()(double initial_rate, std::int64_t step,
                                                    std::int64_t steps,
                                                    std::int64_t steps_per_epoch) const {
  if (constant_share >= 1) return initial_rate;
  if (by_epochs) {
    const auto epochs = (steps + steps_per_epoch - 1) / steps_per_epoch;
    if (epochs - constant_of(epochs) >= 2) {
      return rate(initial_rate, step / steps_per_epoch, epochs);
    }
  }
  return rate(initial_rate, step, steps);
}

LIMPID_INLINE std::int64_t ConstantThenLinear::constant_of(std::int64_t units) const {
  return std::llround(constant_share * static_cast<double>(units));
}

LIMPID_INLINE double ConstantThenLinear::rate(double initial_rate, std::int64_t unit,
                                              std::int64_t units) const {
  const auto constant = std::min(constant_of(units), units - 1);  // the last unit is the end
  if (unit < constant) return initial_rate;
  const auto falling = static_cast<double>(units - constant);
  const auto done = std::min(1.0, static_cast<double>(unit - constant + 1) / falling);
  return std::lerp(initial_rate, final_rate, done);  // exact at both ends
}

LIMPID_INLINE double CosineDecay::operator()(double initial_rate, std::int64_t step,
                                             std::int64_t steps,
                                             std::int64_t steps_per_epoch) const {
  const auto wanted = warmup_epochs > 0 ? warmup_epochs * static_cast<double>(steps_per_epoch)
                                        : warmup_share * static_cast<double>(steps);
  const auto warmup = std::min<std::int64_t>(std::llround(wanted), steps - 1);
  if (step < warmup) {
    return initial_rate * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  }
  const auto last = steps - 1;
  if (step >= last) return final_rate;
  const auto done = static_cast<double>(step - warmup) / static_cast<double>(last - warmup);
  return final_rate + (initial_rate - final_rate) * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
