#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/weighting.hpp>

#include <cstdint>

namespace limpid {

/// Dynamic weight average: weight to the tasks whose losses fall slowest. T softmax(r /
/// temperature) for T tasks, r_i the mean loss of the last epoch over that of the one before; 1 in
/// the first two.
///
/// Source: Liu, Johns, Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019,
/// sec. 3.2. Differs: `every` counts epochs in steps, for runs whose epochs are long or that have
/// none.
struct DynamicAverage {
  double temperature = 2.0;  ///< higher is nearer to equal
  std::int64_t every = 0;    ///< steps of what counts as an epoch; 0: the run's epochs

  std::int64_t epoch = 0;  ///< that `sum` is of
  std::int64_t seen = 0;   ///< steps so far
  std::int64_t count = 0;  ///< steps in `sum`
  std::int64_t past = 0;   ///< whole epochs, at most 2
  TaskVector sum{}, last{}, before{};

  static void each_option(auto& self, auto&& visit) {
    visit("temperature", self.temperature, "higher is nearer to equal");
    visit("every", self.every, "steps of what counts as an epoch; 0: the run's epochs");
  }
  static void each_state(auto& self, auto&& visit) {
    visit("epoch", self.epoch);
    visit("seen", self.seen);
    visit("count", self.count);
    visit("past", self.past);
    visit("sum", self.sum);
    visit("last", self.last);
    visit("before", self.before);
  }
  void check() const {
    detail::check_positive("temperature", temperature);
    detail::check_at_least("every", every, 0);
  }

  TaskVector weights(const WeightingStep& step) {
    detail::begin_state(sum, step, 0.0);
    detail::begin_state(last, step, 0.0);
    detail::begin_state(before, step, 0.0);
    const auto now = every > 0 ? seen / every : step.epoch;
    if (now != epoch) {
      if (count > 0) {
        before = last;
        last = sum / static_cast<double>(count);
        past = past < 2 ? past + 1 : 2;
      }
      sum.setZero();
      count = 0;
      epoch = now;
    }
    if (past < 2) return TaskVector::Ones(step.count());
    return static_cast<double>(step.count()) *
           detail::softmax(last.cwiseQuotient(before) / temperature);
  }

  void observe(const WeightingStep& step) {
    sum += detail::positive_losses("dwa", step);
    ++count;
    ++seen;
  }
};

static_assert(WeighsAhead<DynamicAverage>);

}  // namespace limpid
