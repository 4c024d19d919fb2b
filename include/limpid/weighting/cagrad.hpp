#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/solvers.hpp>
#include <limpid/weighting/weighting.hpp>

#include <algorithm>
#include <cmath>

namespace limpid {

/// Conflict-averse gradient descent: of all directions within c |g_0| of the mean gradient g_0, the
/// one that helps the worst-off task most. w = argmin over the simplex of g_w . g_0 + c |g_0|
/// |g_w|; the encoder follows g_0 + c |g_0| / |g_w| g_w, over 1 + c^2 where `rescale`.
///
/// Source: Liu et al., "Conflict-Averse Gradient Descent for Multi-task Learning", NeurIPS 2021.
/// Differs: the exact solution.
struct CAGrad {
  double c = 0.5;       ///< 0: the mean; 1 and more: to MGDA
  bool rescale = true;  ///< as the authors do

  static void each_option(auto& self, auto&& visit) {
    visit("c", self.c, "how far from the mean gradient, in its length");
    visit("rescale", self.rescale, "divide by 1 + c^2: yes or no");
  }
  void check() const { detail::check_not_negative("c", c); }

  TaskVector weights(const WeightingStep& step, const TaskMatrix& gram) {
    const auto tasks = static_cast<double>(step.count());
    TaskVector result = TaskVector::Constant(step.count(), 1 / tasks);
    const auto w = simplex_weights(gram);
    const double mean = std::sqrt(std::max(0.0, gram.mean()));
    const double length = std::sqrt(std::max(0.0, w.dot(gram * w)));
    if (length > 1e-9 * mean) result += c * mean / length * w;
    return rescale ? TaskVector{result / (1 + c * c)} : result;
  }

  /// The inner problem's solution.
  TaskVector simplex_weights(const TaskMatrix& gram) const {
    return detail::conflict_averse_weights(gram, c);
  }
};

static_assert(GramWeighting<CAGrad>);

}  // namespace limpid
