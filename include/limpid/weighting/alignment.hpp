#pragma once

#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/solvers.hpp>
#include <limpid/weighting/weighting.hpp>

#include <Eigen/Eigenvalues>

#include <cmath>
#include <limits>

namespace limpid {

/// Aligned gradients: the matrix of the gradients is replaced by the nearest one whose singular
/// values are all the smallest, so no direction dominates. G = V diag(l) V^T; w = sqrt(l_min) V
/// diag(1 / sqrt(l)) V^T 1.
///
/// Source: Senushkin et al., "Independent Component Alignment for Multi-Task Learning", CVPR 2023.
/// Differs: the sum over tasks, as there; TorchJD gives their mean. Directions below float's
/// rounding are left out, as in LibMTL.
struct AlignedMTL {
  TaskVector weights(const WeightingStep&, const TaskMatrix& gram) {
    return detail::without_zero_gradients(gram, [](const TaskMatrix& part, const auto&) {
      const Eigen::SelfAdjointEigenSolver<TaskMatrix> parts{part};
      const double least = parts.eigenvalues().maxCoeff() * static_cast<double>(part.rows()) *
                           std::numeric_limits<float>::epsilon();
      TaskVector in_parts = parts.eigenvectors().transpose() * TaskVector::Ones(part.rows());
      double smallest = 0;
      for (Eigen::Index i = part.rows() - 1; i >= 0; --i) {  // they ascend
        const double value = parts.eigenvalues()[i];
        if (value > least) smallest = value;
        in_parts[i] = value > least ? in_parts[i] / std::sqrt(value) : 0.0;
      }
      return TaskVector{std::sqrt(smallest) * parts.eigenvectors() * in_parts};
    });
  }
};

/// Conflict-free updates: the direction with the same cosine to every task's gradient, as long as
/// the sum of the gradients' projections on it. U: rows g_i / |g_i|; d = pinv(U) 1, normalised; the
/// encoder follows (sum of g_i . d) d.
///
/// Source: Liu et al., "ConFIG: Towards Conflict-free Training of Physics Informed Neural
/// Networks", ICLR 2025. Differs: a task without a gradient takes no part.
struct ConFIG {
  TaskVector weights(const WeightingStep&, const TaskMatrix& gram) {
    return detail::without_zero_gradients(gram, [](const TaskMatrix& part, const auto&) {
      const TaskVector inverse = detail::lengths(part).cwiseInverse();
      const TaskMatrix cosines = inverse.asDiagonal() * part * inverse.asDiagonal();
      const TaskVector ones = TaskVector::Ones(part.rows());
      // pinv(U) = U^T pinv(U U^T)
      const TaskVector y = detail::solve_semidefinite(cosines, ones, 1e-6).cwiseProduct(inverse);
      const double square = y.dot(part * y);
      if (square <= 0) return TaskVector{TaskVector::Zero(part.rows())};
      return TaskVector{ones.dot(part * y) / square * y};
    });
  }
};

static_assert(GramWeighting<AlignedMTL> && GramWeighting<ConFIG>);

}  // namespace limpid
