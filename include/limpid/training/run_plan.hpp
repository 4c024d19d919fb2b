#pragma once

#include <limpid/core/check.hpp>
#include <limpid/training/options.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <variant>
#include <vector>

namespace limpid::detail {

/// A run's length and epochs in steps, and the learning rates that follow from them.
class RunPlan {
 public:
  RunPlan() = default;

  /// @param batches_per_epoch  of each task, for the epoch policy
  RunPlan(const TrainerOptions& options, const std::vector<std::int64_t>& batches_per_epoch)
      : steps_per_epoch_(options.epoch(batches_per_epoch)) {
    check_at_least("epoch policy: steps of an epoch", steps_per_epoch_, 1);
    if (const auto* epochs = std::get_if<Epochs>(&options.length)) {
      TORCH_CHECK_VALUE(epochs->count <= kMostSteps / steps_per_epoch_,
                        "TrainerOptions: length: ", epochs->count, " epochs of ", steps_per_epoch_,
                        " steps are more than ", kMostSteps, " steps");
      last_step_ = epochs->count * steps_per_epoch_;
    } else if (const auto* steps = std::get_if<Steps>(&options.length)) {
      last_step_ = steps->count;
    } else {
      seconds_ = 60 * std::get<Minutes>(options.length).count;
    }
  }

  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }

  /// The run's number of steps, or 0 where time decides.
  std::int64_t last_step() const { return last_step_; }

  bool finished(std::int64_t step, double seconds) const {
    return last_step_ > 0 ? step >= last_step_ : seconds >= seconds_;
  }

  /// The epoch, from 0, of step number `step`, from 0.
  std::int64_t epoch_of(std::int64_t step) const { return step / steps_per_epoch_; }

  /// Seconds until the end. @param done  steps of this sitting, which took `seconds_of_sitting`
  double seconds_left(std::int64_t step, double seconds, std::int64_t done,
                      double seconds_of_sitting) const {
    if (last_step_ == 0) return seconds_ - seconds;
    return seconds_of_sitting / static_cast<double>(std::max<std::int64_t>(1, done)) *
           static_cast<double>(last_step_ - step);
  }

  /// The learning rate of step number `step`.
  /// @param seconds  of training so far
  /// @param seconds_of_step  what a step takes; where time decides the length, a step that will
  ///        reach the end is the last one
  double rate(const Schedule& schedule, double initial, std::int64_t step, double seconds,
              double seconds_of_step) const {
    if (last_step_ > 0) return schedule(initial, step, last_step_, steps_per_epoch_);
    constexpr std::int64_t kParts = 1000;
    const auto done = seconds / seconds_ * kParts;
    const auto at_its_end = (seconds + seconds_of_step) / seconds_ * kParts;
    const auto part = at_its_end >= kParts ? kParts - 1 : static_cast<std::int64_t>(done);
    const auto epoch = step == 0 ? kParts
                                 : std::llround(done * static_cast<double>(steps_per_epoch_) /
                                                static_cast<double>(step));
    return schedule(initial, std::min(part, kParts - 1), kParts, std::max<std::int64_t>(1, epoch));
  }

 private:
  std::int64_t steps_per_epoch_ = 1;
  std::int64_t last_step_ = 0;
  double seconds_ = 0;
};

}  // namespace limpid::detail
