#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/solvers.hpp>
#include <limpid/weighting/weighting.hpp>

// Projections on the cone of directions along which no task's loss rises, in the form of their
// duals: with K = G / trace(G) + reg I, the least v^T K v over v >= a lower bound.
namespace limpid {

namespace detail {

inline TaskMatrix normalised_gram(const TaskMatrix& gram, double regularisation) {
  TaskMatrix result = gram / gram.trace();
  result.diagonal().array() += regularisation;
  return result;
}

}  // namespace detail

/// Unconflicting projection of gradients: each task's gradient is projected by itself on the cone
/// of directions that hurt no task, then they are added up. For each i, w^i = argmin v^T K v over
/// v >= e_i / T; w = sum of w^i. The encoder never follows a direction against a task.
///
/// Source: Quinton and Rey, "Jacobian Descent for Multi-Objective Optimization", 2024.
/// Differs: the exact solution; gradients of any length are normalised, however short.
struct UPGrad {
  double regularisation = 1e-4;  ///< added to the diagonal of the normalised Gram matrix

  static void each_option(auto& self, auto&& visit) {
    visit("regularisation", self.regularisation, "of the normalised Gram matrix");
  }
  void check() const { detail::check_positive("regularisation", regularisation); }

  TaskVector weights(const WeightingStep&, const TaskMatrix& gram) {
    const auto tasks = static_cast<double>(gram.rows());
    if (gram.trace() <= 0) return TaskVector::Constant(gram.rows(), 1 / tasks);
    const auto matrix = detail::normalised_gram(gram, regularisation);
    TaskVector sum = TaskVector::Zero(gram.rows());
    for (Eigen::Index i = 0; i < gram.rows(); ++i) {
      sum += detail::shortest_above(matrix, TaskVector::Unit(gram.rows(), i) / tasks);
    }
    return sum;
  }
};

/// The mean gradient, projected on the cone of directions that hurt no task: w = argmin v^T K v
/// over v >= 1 / T.
///
/// Source: Lopez-Paz and Ranzato, "Gradient Episodic Memory for Continual Learning", NeurIPS 2017.
/// Differs: as `UPGrad`.
struct DualProj {
  double regularisation = 1e-4;  ///< added to the diagonal of the normalised Gram matrix

  static void each_option(auto& self, auto&& visit) {
    visit("regularisation", self.regularisation, "of the normalised Gram matrix");
  }
  void check() const { detail::check_positive("regularisation", regularisation); }

  TaskVector weights(const WeightingStep&, const TaskMatrix& gram) {
    const TaskVector mean = TaskVector::Constant(gram.rows(), 1 / static_cast<double>(gram.rows()));
    if (gram.trace() <= 0) return mean;
    return detail::shortest_above(detail::normalised_gram(gram, regularisation), mean);
  }
};

static_assert(GramWeighting<UPGrad> && GramWeighting<DualProj>);

}  // namespace limpid
