#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/solvers.hpp>
#include <limpid/weighting/weighting.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

// Weights under which every task gains, by a rule of fairness: the positive w with
// G w = w^(-1 / alpha), each by itself.
namespace limpid {

/// The Nash bargaining solution: no task can gain a share without the others losing more in all;
/// the positive w with G w = 1 / w. The sum of w_i g_i always has length sqrt(T), whatever the
/// losses' units, and is scaled down to `max_norm`.
///
/// Source: Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022.
/// Differs: the exact solution. Where gradients oppose one another so that none exists, the weights
/// of a Gram matrix with 1e-12 of its mean diagonal added. A task without a gradient takes no part.
struct NashMTL {
  double max_norm = 1.0;   ///< of the combined gradient; 0: as it comes
  std::int64_t every = 1;  ///< steps between new weights

  std::int64_t seen = 0;
  TaskVector last{};

  static void each_option(auto& self, auto&& visit) {
    visit("max-norm", self.max_norm, "of the combined gradient; 0: as it comes");
    visit("every", self.every, "steps between new weights");
  }
  static void each_state(auto& self, auto&& visit) {
    visit("seen", self.seen);
    visit("last", self.last);
  }
  void check() const {
    detail::check_not_negative("max-norm", max_norm);
    detail::check_at_least("every", every, 1);
  }

  TaskVector weights(const WeightingStep&, const TaskMatrix& gram) {
    if (seen++ % every == 0 || last.size() != gram.rows()) {
      last = detail::without_zero_gradients(
          gram, [](const TaskMatrix& part, const auto&) { return detail::fair_weights(part, 1); });
    }
    const double length = std::sqrt(std::max(0.0, last.dot(gram * last)));
    return max_norm > 0 && length > max_norm ? TaskVector{max_norm / length * last} : last;
  }
};

/// Fair resource allocation: the positive w with G w = w^(-1 / alpha). alpha 1 is `NashMTL` without
/// its limit; higher alpha turns to max-min fairness.
///
/// Source: Ban and Ji, "Fair Resource Allocation in Multi-Task Learning", ICML 2024.
/// Differs: as `NashMTL`.
struct FairGrad {
  double alpha = 1.0;

  static void each_option(auto& self, auto&& visit) {
    visit("alpha", self.alpha, "1: as nash-mtl; higher: nearer to max-min fairness");
  }
  void check() const { detail::check_positive("alpha", alpha); }

  TaskVector weights(const WeightingStep&, const TaskMatrix& gram) {
    return detail::without_zero_gradients(gram, [&](const TaskMatrix& part, const auto&) {
      return detail::fair_weights(part, alpha);
    });
  }
};

static_assert(GramWeighting<NashMTL> && GramWeighting<FairGrad>);

}  // namespace limpid
