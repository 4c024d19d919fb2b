#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/weighting/weighting.hpp>

#include <map>
#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <string_view>
#endif

namespace limpid {

/// The plain sum of the tasks' losses, each times its branch's `weight`: what the thesis does, and
/// what a trainer does unless told otherwise.
struct Equal {
  TaskVector weights(const WeightingStep& step);
  void observe(const WeightingStep&) {}
};

/// Numbers that the user chose, by task; 1 for a task that is not named. They multiply the branch's
/// `weight`.
///
/// By name, its options are the tasks: `fixed:deblur=1,dehaze=0.3`.
struct Fixed {
  std::map<std::string, double, std::less<>> numbers{};

  /// @throws c10::ValueError for a negative number, or all zero.
  void check() const;

  /// @throws c10::ValueError for a number of a task that is none of the step's.
  TaskVector weights(const WeightingStep& step);
  void observe(const WeightingStep&) {}
};

static_assert(WeighsAhead<Equal> && WeighsAhead<Fixed>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE TaskVector Equal::weights(const WeightingStep& step) {
  return TaskVector::Ones(step.count());
}

LIMPID_INLINE void Fixed::check() const {
  bool any = numbers.empty();
  for (const auto& [task, number] : numbers) {
    TORCH_CHECK_VALUE(number >= 0, "weight of '", task, "' must not be negative, got ", number);
    any = any || number > 0;
  }
  TORCH_CHECK_VALUE(any, "at least one weight must be above 0");
}

LIMPID_INLINE TaskVector Fixed::weights(const WeightingStep& step) {
  for (const auto& [task, number] : numbers) {
    const bool known = std::find(step.tasks.begin(), step.tasks.end(), task) != step.tasks.end();
    TORCH_CHECK_VALUE(known, "weighting fixed: no task is called '", task, "'");
  }
  TaskVector result = TaskVector::Ones(step.count());
  for (Eigen::Index i = 0; i < step.count(); ++i) {
    const auto found = numbers.find(step.tasks[static_cast<std::size_t>(i)]);
    if (found != numbers.end()) result[i] = found->second;
  }
  return result;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
