#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/weighting.hpp>

#include <cmath>

namespace limpid {

/// Gradient normalisation: weights are learned so that tasks which train slower have longer
/// gradients. w = T softmax(p) for T tasks; norms_i = w_i |g_i|; r_i = loss_i / first loss_i,
/// divided by their mean; targets_i = mean(norms) r_i^alpha, held constant; p descends sum of
/// |norms_i - targets_i|.
///
/// Source: Chen et al., "GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep
/// Multitask Networks", ICML 2018; p as in LibMTL, so that weights stay above 0.
/// Differs: the gradients are those of the whole encoder; p's gradient is divided by the mean norm,
/// so that `rate` does not depend on the losses' units.
struct GradNorm {
  double alpha = 1.5;  ///< how much longer a slow task's gradient shall be
  double rate = 0.025;

  TaskVector p{}, first{};

  static void each_option(auto& self, auto&& visit) {
    visit("alpha", self.alpha, "how much longer a slow task's gradient shall be");
    visit("rate", self.rate, "of the descent of the weights' scores");
  }
  static void each_state(auto& self, auto&& visit) {
    visit("p", self.p);
    visit("first", self.first);
  }
  void check() const {
    detail::check_not_negative("alpha", alpha);
    detail::check_positive("rate", rate);
  }

  /// How far norms are from where they shall be.
  struct Distance {
    TaskVector norms, targets;
    double value = 0;
    TaskVector gradient_weights, gradient_scores;  ///< of `value` with respect to w and to p
  };

  /// @param ratios  loss_i / first loss_i
  static Distance distance(const TaskVector& p, const TaskVector& lengths, const TaskVector& ratios,
                           double alpha) {
    const TaskVector w = of(p);
    Distance result;
    result.norms = w.cwiseProduct(lengths);
    result.targets = result.norms.mean() * (ratios / ratios.mean()).array().pow(alpha);
    const TaskVector difference = result.norms - result.targets;
    result.value = difference.cwiseAbs().sum();
    result.gradient_weights = difference.cwiseSign().cwiseProduct(lengths);
    const double mean = result.gradient_weights.dot(w) / static_cast<double>(w.size());
    result.gradient_scores = w.array() * (result.gradient_weights.array() - mean);
    return result;
  }

  TaskVector decoders(const WeightingStep& step) const {
    return p.size() == 0 ? TaskVector::Ones(step.count()) : of(p);
  }

  TaskVector weights(const WeightingStep& step, const TaskMatrix& gram) {
    const auto losses = detail::positive_losses("gradnorm", step);
    detail::begin_state(p, step, 0.0);
    if (first.size() == 0) first = losses;
    detail::begin_state(first, step, 0.0);
    const TaskVector w = of(p);
    const auto apart = distance(p, detail::lengths(gram), losses.cwiseQuotient(first), alpha);
    const double mean = apart.norms.mean();
    if (mean > 0) p = detail::bounded_logarithms(p - rate / mean * apart.gradient_scores);
    return w;
  }

 private:
  static TaskVector of(const TaskVector& p) {
    return static_cast<double>(p.size()) * detail::softmax(p);
  }
};

static_assert(GramWeighting<GradNorm>);

}  // namespace limpid
