#pragma once

#include <limpid/core/check.hpp>
#include <limpid/optim/schedule.hpp>
#include <limpid/optim/stretch.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Learning rates of which a run's schedule is put together. Each is a `Schedule` by itself, with
// options that have names.
namespace limpid {

/// The rate as it is.
struct ConstantRate {
  static void each_option(auto&, auto&&) {}

  double operator()(double initial_rate, std::int64_t, std::int64_t, std::int64_t) const {
    return initial_rate;
  }
};

/// Rises linearly, to the rate in the step after the last.
struct WarmUp {
  static void each_option(auto&, auto&&) {}

  double operator()(double initial_rate, std::int64_t step, std::int64_t steps,
                    std::int64_t) const {
    return initial_rate * static_cast<double>(step + 1) / static_cast<double>(steps + 1);
  }
};

/// Falls linearly, to `final` in the last step.
struct LinearFall {
  double final = 1e-7;

  static void each_option(auto& self, auto&& visit) {
    visit("final", self.final, "rate of the last step");
  }
  void check() const { detail::check_not_negative("final", final); }

  double operator()(double initial_rate, std::int64_t step, std::int64_t steps,
                    std::int64_t steps_per_epoch) const {
    const ConstantThenLinear fall{.constant_share = 0, .final_rate = final};
    return fall(initial_rate, step, steps, steps_per_epoch);
  }
};

/// Falls by half a cosine, to `final` in the last step.
struct CosineFall {
  double final = 1e-7;

  static void each_option(auto& self, auto&& visit) {
    visit("final", self.final, "rate of the last step");
  }
  void check() const { detail::check_not_negative("final", final); }

  double operator()(double initial_rate, std::int64_t step, std::int64_t steps,
                    std::int64_t steps_per_epoch) const {
    const CosineDecay fall{.warmup_share = 0, .final_rate = final};
    return fall(initial_rate, step, steps, steps_per_epoch);
  }
};

/// Places in a run, as text "0.5/0.8".
struct Milestones {
  std::vector<Stretch> places;
};

inline void read_option(std::string_view text, Milestones& milestones) {
  milestones.places.clear();
  for (auto rest = text;;) {
    const auto slash = rest.find('/');
    milestones.places.push_back(Stretch::parse(rest.substr(0, slash)));
    if (slash == rest.npos) return;
    rest.remove_prefix(slash + 1);
  }
}

inline std::string option_text(const Milestones& milestones) {
  std::string text;
  for (const auto& place : milestones.places) text += (text.empty() ? "" : "/") + place.text();
  return text;
}

inline void read_option(std::string_view text, Stretch& stretch) { stretch = Stretch::parse(text); }
inline std::string option_text(const Stretch& stretch) { return stretch.text(); }

/// Multiplied by `factor` at each milestone.
struct MultiStep {
  Milestones at{{Stretch::share(0.5), Stretch::share(0.75)}};
  double factor = 0.5;

  static void each_option(auto& self, auto&& visit) {
    visit("at", self.at, "where the rate falls, shares, steps or epochs: 0.5/0.75");
    visit("factor", self.factor, "what it is multiplied by");
  }
  void check() const { detail::check_positive("factor", factor); }
  bool counts_steps() const {
    return std::any_of(at.places.begin(), at.places.end(),
                       [](const Stretch& place) { return place.counts_steps(); });
  }

  double operator()(double initial_rate, std::int64_t step, std::int64_t steps,
                    std::int64_t steps_per_epoch) const {
    auto rate = initial_rate;
    for (const auto& place : at.places) {
      if (step >= place.in_steps(steps, steps_per_epoch)) rate *= factor;
    }
    return rate;
  }
};

/// Half cosines, one after the other, each from the rate down to `final`.
///
/// Source: Loshchilov and Hutter, "SGDR", ICLR 2017.
struct WarmRestarts {
  Stretch first = Stretch::share(0.1);
  double longer = 2;
  double lower = 1;
  double final = 1e-7;

  static void each_option(auto& self, auto&& visit) {
    visit("first", self.first, "length of the first: a share, steps or epochs");
    visit("longer", self.longer, "how many times longer each is than the one before");
    visit("lower", self.lower, "what the rate is multiplied by at each restart");
    visit("final", self.final, "rate at the end of each");
  }
  void check() const {
    TORCH_CHECK_VALUE(longer >= 1, "longer must be at least 1, got ", longer);
    detail::check_positive("lower", lower);
    detail::check_not_negative("final", final);
  }
  bool counts_steps() const { return first.counts_steps(); }

  double operator()(double initial_rate, std::int64_t step, std::int64_t steps,
                    std::int64_t steps_per_epoch) const {
    auto length = std::max<std::int64_t>(1, first.in_steps(steps, steps_per_epoch));
    auto highest = initial_rate;
    while (step >= length && length < steps) {
      step -= length;
      length = std::llround(std::min(static_cast<double>(length) * longer, 1e15));
      highest *= lower;
    }
    return CosineFall{final}(highest, std::min(step, length - 1), length, steps_per_epoch);
  }
};

/// Schedules one after the other: each begins with the run's rate and sees its own steps only.
///
/// ```cpp
/// options.schedule = ScheduleSequence{{WarmUp{}, Stretch::steps(500)}, {CosineFall{}}};
/// ```
class ScheduleSequence {
 public:
  struct Part {
    Schedule schedule;
    std::optional<Stretch> length{};  ///< of the run; parts without share what the others leave
    bool by_epochs = false;           ///< the rate changes at the beginning of an epoch only
  };

  ScheduleSequence(std::initializer_list<Part> parts) : parts_(parts) {}
  explicit ScheduleSequence(std::vector<Part> parts) : parts_(std::move(parts)) {}

  double operator()(double initial_rate, std::int64_t step, std::int64_t steps,
                    std::int64_t steps_per_epoch) const {
    const auto lengths = lengths_of(steps, steps_per_epoch);
    std::size_t i = 0;
    for (; i + 1 < parts_.size() && step >= lengths[i]; ++i) step -= lengths[i];
    const auto length = std::max<std::int64_t>(1, lengths[i]);
    step = std::min(step, length - 1);
    if (parts_[i].by_epochs) step = held(step, length, steps_per_epoch);
    return parts_[i].schedule(initial_rate, step, length, steps_per_epoch);
  }

 private:
  std::vector<std::int64_t> lengths_of(std::int64_t steps, std::int64_t steps_per_epoch) const {
    std::vector<std::int64_t> lengths;
    auto left = steps;
    std::int64_t open = 0;
    for (const auto& part : parts_) {
      const auto length = part.length ? part.length->in_steps(steps, steps_per_epoch) : 0;
      lengths.push_back(std::min(length, left));
      left -= lengths.back();
      open += part.length ? 0 : 1;
    }
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i].length) continue;
      lengths[i] = left / open--;
      left -= lengths[i];
    }
    lengths.back() += left;  // where all have lengths, the last goes on to the end
    // However short the run, it ends where its schedule does.
    for (auto i = lengths.size() - 1; lengths.back() == 0 && i-- > 0;) {
      if (lengths[i] == 0) continue;
      --lengths[i];
      ++lengths.back();
    }
    return lengths;
  }

  /// The step whose rate holds in the epoch of `step`: the first epoch has that of the first step,
  /// the last that of the last.
  static std::int64_t held(std::int64_t step, std::int64_t length, std::int64_t steps_per_epoch) {
    const auto epochs = (length + steps_per_epoch - 1) / steps_per_epoch;
    if (epochs < 2) return step;
    return std::llround(static_cast<double>(step / steps_per_epoch) *
                        static_cast<double>(length - 1) / static_cast<double>(epochs - 1));
  }

  std::vector<Part> parts_;
};

}  // namespace limpid
