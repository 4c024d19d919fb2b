#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/weighting/weighting.hpp>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#endif

namespace limpid {

/// Each task's noise is learned beside the network: the minimised value is
/// sum of loss_i / (2 exp(s_i)) + s_i / 2, so weights are 1 / (2 exp(s_i)). Where s has settled, a
/// task's weight is half of one over its loss.
///
/// Source: Kendall, Gal, Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene
/// Geometry and Semantics", CVPR 2018, in the logarithmic form of their section 3.
/// Differs: s follows its own gradient with a rate of its own, not the network's optimiser.
struct Uncertainty {
  double rate = 0.01;  ///< of the descent of s

  TaskVector s{};  ///< logarithm of each task's variance

  static void each_option(auto& self, auto&& visit) {
    visit("rate", self.rate, "of the descent of the tasks' variances");
  }
  static void each_state(auto& self, auto&& visit) { visit("s", self.s); }
  void check() const;

  TaskVector weights(const WeightingStep& step);

  /// Of the minimised value, with respect to s.
  TaskVector gradient(const TaskVector& losses) const;

  void observe(const WeightingStep& step);
};

/// Task uncertainty regularisation, made for image restoration: a unit u_i for each task, learned;
/// the minimised value is sum of loss_i / u_i + 2 log(mean of u), so weights are 1 / u_i.
///
/// Source: Wu et al., "Debiased All-in-one Image Restoration with Task Uncertainty Regularization",
/// AAAI 2025.
/// Differs: log u is what descends, so that u stays above 0; a task, not a picture, has a unit; a
/// rate of its own, not the network's optimiser.
struct TaskUncertainty {
  double rate = 0.01;  ///< of the descent of log u

  TaskVector log_unit{};

  static void each_option(auto& self, auto&& visit) {
    visit("rate", self.rate, "of the descent of the tasks' units");
  }
  static void each_state(auto& self, auto&& visit) { visit("log-unit", self.log_unit); }
  void check() const;

  TaskVector weights(const WeightingStep& step);

  /// Of the minimised value, with respect to log u.
  TaskVector gradient(const TaskVector& losses) const;

  void observe(const WeightingStep& step);
};

/// The best uncertainty weights of each step in closed form: softmax of (1 / loss_i) / T, the
/// losses held constant. Weights sum to 1.
///
/// Source: Kirchdorfer et al., "Analytical Uncertainty-Based Loss Weighting in Multi-Task
/// Learning", GCPR 2024.
struct SoftOptimalUncertainty {
  double temperature = 2.0;  ///< T; higher is nearer to equal

  static void each_option(auto& self, auto&& visit) {
    visit("temperature", self.temperature, "higher is nearer to equal");
  }
  void check() const;

  TaskVector weights(const WeightingStep& step);
};

static_assert(WeighsAhead<Uncertainty> && WeighsAhead<TaskUncertainty>);
static_assert(LossWeighting<SoftOptimalUncertainty> && !WeighsAhead<SoftOptimalUncertainty>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Uncertainty::check() const { detail::check_positive("rate", rate); }

LIMPID_INLINE TaskVector Uncertainty::weights(const WeightingStep& step) {
  detail::begin_state(s, step, 0.0);
  return 0.5 * (-s.array()).exp();
}

LIMPID_INLINE TaskVector Uncertainty::gradient(const TaskVector& losses) const {
  return 0.5 - 0.5 * losses.array() * (-s.array()).exp();
}

LIMPID_INLINE void Uncertainty::observe(const WeightingStep& step) {
  const auto losses = detail::positive_losses("uncertainty", step);
  s = detail::bounded_logarithms(s - rate * gradient(losses));
}

LIMPID_INLINE void TaskUncertainty::check() const { detail::check_positive("rate", rate); }

LIMPID_INLINE TaskVector TaskUncertainty::weights(const WeightingStep& step) {
  detail::begin_state(log_unit, step, 0.0);
  return (-log_unit.array()).exp();
}

LIMPID_INLINE TaskVector TaskUncertainty::gradient(const TaskVector& losses) const {
  const TaskVector unit = log_unit.array().exp();
  return 2.0 / unit.sum() * unit.array() - losses.array() / unit.array();
}

LIMPID_INLINE void TaskUncertainty::observe(const WeightingStep& step) {
  const auto losses = detail::positive_losses("tur", step);
  log_unit = detail::bounded_logarithms(log_unit - rate * gradient(losses));
}

LIMPID_INLINE void SoftOptimalUncertainty::check() const {
  detail::check_positive("temperature", temperature);
}

LIMPID_INLINE TaskVector SoftOptimalUncertainty::weights(const WeightingStep& step) {
  const auto losses = detail::positive_losses("uw-so", step);
  return detail::softmax(losses.cwiseInverse() / temperature);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
