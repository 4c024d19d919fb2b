#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/weighting.hpp>

#include <cmath>

// Other values of T losses than their sum. Weights are a value's derivatives, so the step is one
// along the value's gradient.
namespace limpid {

/// The geometric mean of the losses: value = (product of loss_i)^(1/T), weights value / (T loss_i).
/// No unit of a loss matters.
///
/// Source: Chennupati et al., "MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss
/// Strategy for Multi-Task Learning", CVPR workshops 2019.
struct GeometricMean {
  TaskVector weights(const WeightingStep& step) {
    const auto losses = detail::positive_losses("gls", step);
    return value(losses) / static_cast<double>(losses.size()) * losses.cwiseInverse();
  }

  /// @param losses  above 0
  static double value(const TaskVector& losses) { return std::exp(losses.array().log().mean()); }
};

/// The worst task counts most, smoothly: value = T mu log(sum of exp((x_i - max x) / mu)) with
/// x_i = log(loss_i / n_i), n the losses of the first step; weights T softmax(x / mu)_i / loss_i.
///
/// Source: Lin et al., "Smooth Tchebycheff Scalarization for Multi-Objective Optimization", ICML
/// 2024.
/// Differs: the references are the first step's losses, not means over warm-up epochs; max x is
/// held constant and not added back, as in LibMTL.
struct SmoothTchebycheff {
  double mu = 1.0;  ///< lower is nearer to the worst task alone

  TaskVector first{};  ///< losses of the first step

  static void each_option(auto& self, auto&& visit) {
    visit("mu", self.mu, "lower is nearer to the worst task alone");
  }
  static void each_state(auto& self, auto&& visit) { visit("first", self.first); }
  void check() const { detail::check_positive("mu", mu); }

  TaskVector weights(const WeightingStep& step) {
    const auto losses = detail::positive_losses("stch", step);
    if (first.size() == 0) first = losses;
    detail::begin_state(first, step, 0.0);
    return static_cast<double>(losses.size()) *
           detail::softmax(logarithms(losses) / mu).cwiseQuotient(losses);
  }

  double value(const TaskVector& losses) const {
    const TaskVector x = logarithms(losses);
    return static_cast<double>(x.size()) * mu *
           std::log(((x.array() - x.maxCoeff()) / mu).exp().sum());
  }

 private:
  TaskVector logarithms(const TaskVector& losses) const {
    return losses.cwiseQuotient(first).array().log();
  }
};

static_assert(LossWeighting<GeometricMean> && LossWeighting<SmoothTchebycheff>);

}  // namespace limpid
