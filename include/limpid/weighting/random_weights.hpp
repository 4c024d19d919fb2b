#pragma once

#include <limpid/weighting/weighting.hpp>

namespace limpid {

/// New random weights in each step: softmax of standard normal scores, so they sum to 1. A test
/// that any cleverer method has to pass.
///
/// Source: Lin et al., "Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task
/// Learning", TMLR 2022.
struct RandomWeights {
  TaskVector weights(WeightingStep& step) {
    TaskVector scores{step.count()};
    for (auto& score : scores) score = step.random.normal();
    return of(scores);
  }
  void observe(const WeightingStep&) {}

  static TaskVector of(const TaskVector& scores) { return detail::softmax(scores); }
};

static_assert(WeighsAhead<RandomWeights>);

}  // namespace limpid
