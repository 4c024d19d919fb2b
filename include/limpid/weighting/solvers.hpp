#pragma once

#include <limpid/weighting/weighting.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

// The small problems behind weightings of gradients, in as many unknowns as there are tasks. Up to
// eight tasks they are solved exactly by trying every set of constraints that may hold with
// equality, 255 at most; beyond that by iteration.
namespace limpid::detail {

inline constexpr Eigen::Index kMostExact = 8;

/// Positions in a set of tasks that the bits of `mask` name.
inline std::vector<Eigen::Index> members(unsigned mask, Eigen::Index tasks) {
  std::vector<Eigen::Index> result;
  for (Eigen::Index i = 0; i < tasks; ++i) {
    if ((mask >> i & 1U) != 0) result.push_back(i);
  }
  return result;
}

inline TaskMatrix part_of(const TaskMatrix& matrix, const std::vector<Eigen::Index>& rows,
                          const std::vector<Eigen::Index>& columns) {
  TaskMatrix part{static_cast<Eigen::Index>(rows.size()),
                  static_cast<Eigen::Index>(columns.size())};
  for (Eigen::Index i = 0; i < part.rows(); ++i) {
    for (Eigen::Index j = 0; j < part.cols(); ++j) {
      part(i, j) = matrix(rows[static_cast<std::size_t>(i)], columns[static_cast<std::size_t>(j)]);
    }
  }
  return part;
}

inline TaskVector part_of(const TaskVector& vector, const std::vector<Eigen::Index>& rows) {
  TaskVector part{static_cast<Eigen::Index>(rows.size())};
  for (Eigen::Index i = 0; i < part.size(); ++i)
    part[i] = vector[rows[static_cast<std::size_t>(i)]];
  return part;
}

/// A Gram matrix with a breath of the identity added, so that equal and opposite gradients leave
/// one solution.
inline TaskMatrix regular(const TaskMatrix& gram, double share = 1e-12) {
  TaskMatrix result = gram;
  result.diagonal().array() += share * gram.trace() / static_cast<double>(gram.rows());
  return result;
}

/// x with matrix x = right, of a positive definite matrix.
inline TaskVector solve_positive(const TaskMatrix& matrix, const TaskVector& right) {
  return matrix.ldlt().solve(right);
}

/// pinv(matrix) right, of a symmetric positive semidefinite matrix; eigenvalues below `share` of
/// the largest count as 0.
inline TaskVector solve_semidefinite(const TaskMatrix& matrix, const TaskVector& right,
                                     double share) {
  const Eigen::SelfAdjointEigenSolver<TaskMatrix> parts{matrix};
  TaskVector in_parts = parts.eigenvectors().transpose() * right;
  const auto least = share * parts.eigenvalues().maxCoeff();
  for (Eigen::Index i = 0; i < in_parts.size(); ++i) {
    const double value = parts.eigenvalues()[i];
    in_parts[i] = value > least ? in_parts[i] / value : 0.0;
  }
  return parts.eigenvectors() * in_parts;
}

/// The nearest point of the simplex: weights of at least 0 that sum to 1.
inline TaskVector projected_on_simplex(const TaskVector& point) {
  std::vector<double> sorted{point.data(), point.data() + point.size()};
  std::sort(sorted.begin(), sorted.end(), std::greater<>{});
  double sum = 0, shift = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    sum += sorted[i];
    const double candidate = (sum - 1) / static_cast<double>(i + 1);
    if (sorted[i] > candidate) shift = candidate;
  }
  return (point.array() - shift).cwiseMax(0.0);
}

/// The largest second derivative of w^T K w / 2 along changes that keep the sum of w.
inline double curvature_on_simplex(const TaskMatrix& gram) {
  const auto tasks = gram.rows();
  TaskMatrix centred = TaskMatrix::Identity(tasks, tasks);
  centred.array() -= 1 / static_cast<double>(tasks);
  const TaskMatrix along = centred * gram * centred;
  const Eigen::SelfAdjointEigenSolver<TaskMatrix> parts{along, Eigen::EigenvaluesOnly};
  return std::max(0.0, parts.eigenvalues().maxCoeff());
}

/// Minimises w^T b + c |w|_K, or w^T K w / 2 where c is 0 and b is 0, over the simplex, by exact
/// steps along pairs of weights: what one gives, another takes.
inline TaskVector descended_on_simplex(const TaskMatrix& gram, const TaskVector& b, double c) {
  const auto tasks = gram.rows();
  TaskVector w = TaskVector::Constant(tasks, 1.0 / static_cast<double>(tasks));
  for (int sweep = 0; sweep < 2000; ++sweep) {
    double moved = 0;
    TaskVector product = gram * w;
    for (Eigen::Index i = 0; i < tasks; ++i) {
      for (Eigen::Index j = 0; j < i; ++j) {
        // Along w + t (e_i - e_j): w^T K w = q0 + 2 q1 t + q2 t^2.
        const double q1 = product[i] - product[j];
        const double q2 = gram(i, i) - 2 * gram(i, j) + gram(j, j);
        if (q2 <= 0) continue;
        double step = -q1 / q2;
        if (c > 0) {
          const double rest = std::max(0.0, w.dot(product) * q2 - q1 * q1);
          const double slope = (b[i] - b[j]) / (c * std::sqrt(q2));
          step = std::abs(slope) < 1
                     ? (-slope * std::sqrt(rest / (1 - slope * slope)) - q1) / q2
                     : -std::copysign(std::numeric_limits<double>::infinity(), slope);
        }
        step = std::clamp(step, -w[i], w[j]);
        w[i] += step;
        w[j] -= step;
        product += step * (gram.col(i) - gram.col(j));
        moved = std::max(moved, std::abs(step));
      }
    }
    if (moved < 1e-13) break;
  }
  return w;
}

/// The weights on the simplex whose combination of gradients is shortest: argmin w^T K w.
inline TaskVector shortest_on_simplex(const TaskMatrix& gram) {
  const auto tasks = gram.rows();
  const double scale = gram.trace() / static_cast<double>(tasks);
  TaskVector best = TaskVector::Constant(tasks, 1.0 / static_cast<double>(tasks));
  if (scale <= 0) return best;
  if (tasks > kMostExact) return descended_on_simplex(gram, TaskVector::Zero(tasks), 0);
  // On the simplex the ones add a constant, and they make opposite gradients independent.
  TaskMatrix matrix = regular(gram);
  matrix.array() += scale;
  double least = std::numeric_limits<double>::infinity();
  for (unsigned mask = 1; mask < (1U << tasks); ++mask) {
    const auto support = members(mask, tasks);
    const TaskVector ones = TaskVector::Ones(static_cast<Eigen::Index>(support.size()));
    const TaskVector x = solve_positive(part_of(matrix, support, support), ones);
    const double sum = x.sum();
    if (!(sum > 0) || x.minCoeff() < -1e-12 * sum || 1 / sum >= least) continue;
    least = 1 / sum;
    best.setZero();
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      best[support[static_cast<std::size_t>(i)]] = std::max(0.0, x[i] / sum);
    }
  }
  return best;
}

/// argmin v^T K v over v >= lower, K positive definite.
inline TaskVector shortest_above(const TaskMatrix& matrix, const TaskVector& lower) {
  const auto tasks = matrix.rows();
  TaskVector v = lower;
  if (tasks <= kMostExact) {
    double least = std::numeric_limits<double>::infinity();
    for (unsigned mask = 0; mask < (1U << tasks); ++mask) {
      TaskVector candidate = lower;
      const auto free = members(mask, tasks);
      if (!free.empty()) {
        const auto fixed = members(~mask, tasks);
        const TaskVector right = -(part_of(matrix, free, fixed) * part_of(lower, fixed));
        const TaskVector solved = solve_positive(part_of(matrix, free, free), right);
        for (Eigen::Index i = 0; i < solved.size(); ++i) {
          candidate[free[static_cast<std::size_t>(i)]] = solved[i];
        }
      }
      if (((candidate - lower).array() < -1e-12).any()) continue;
      const double value = candidate.dot(matrix * candidate);
      if (value >= least) continue;
      least = value;
      v = candidate.cwiseMax(lower);
    }
    return v;
  }
  for (int sweep = 0; sweep < 100000; ++sweep) {
    double moved = 0;
    for (Eigen::Index i = 0; i < tasks; ++i) {
      const double rest = matrix.row(i).dot(v) - matrix(i, i) * v[i];
      const double next = std::max(lower[i], -rest / matrix(i, i));
      moved = std::max(moved, std::abs(next - v[i]));
      v[i] = next;
    }
    if (moved < 1e-12) break;
  }
  return v;
}

/// The positive w with K w = w^(-1 / alpha), each by itself: Newton's method on the convex function
/// whose gradient is the difference.
inline TaskVector fair_weights(const TaskMatrix& gram, double alpha) {
  const TaskMatrix matrix = regular(gram);
  const double power = -1 / alpha;
  const auto barrier = [&](const TaskVector& w) {
    return alpha == 1 ? w.array().log().sum() : w.array().pow(1 + power).sum() / (1 + power);
  };
  const auto value = [&](const TaskVector& w) { return 0.5 * w.dot(matrix * w) - barrier(w); };
  // Exact where no two gradients meet.
  TaskVector w = matrix.diagonal().array().pow(-alpha / (alpha + 1));
  for (int step = 0; step < 200; ++step) {
    const TaskVector pull = w.array().pow(power);
    const TaskVector gradient = matrix * w - pull;
    if ((gradient.array() / pull.array()).abs().maxCoeff() < 1e-11) break;
    TaskMatrix hessian = matrix;
    hessian.diagonal().array() -= power * pull.array() / w.array();
    const TaskVector direction = -solve_positive(hessian, gradient);
    double length = 1;
    const double longest = (direction.array() / w.array()).minCoeff();
    if (longest < 0) length = std::min(1.0, -0.99 / longest);
    const double now = value(w), slope = gradient.dot(direction);
    while (length > 1e-12 && value(w + length * direction) > now + 1e-4 * length * slope) {
      length /= 2;
    }
    if (length <= 1e-12) break;  // as exact as doubles are
    w += length * direction;
  }
  return w;
}

/// argmin over the simplex of g_w . g_0 + c |g_0| |g_w|, g_w the weighted sum and g_0 the mean of
/// the gradients.
inline TaskVector conflict_averse_weights(const TaskMatrix& gram, double c) {
  const auto tasks = gram.rows();
  const TaskVector b = gram.rowwise().mean();
  const double radius = c * std::sqrt(std::max(0.0, b.mean()));
  TaskVector best = TaskVector::Constant(tasks, 1.0 / static_cast<double>(tasks));
  if (radius <= 1e-9 * std::sqrt(gram.trace())) return best;
  if (tasks > kMostExact) return descended_on_simplex(gram, b, radius);
  double least = std::numeric_limits<double>::infinity();
  const auto consider = [&](const TaskVector& w) {
    const double value = w.dot(b) + radius * std::sqrt(std::max(0.0, w.dot(gram * w)));
    if (value >= least) return;
    least = value;
    best = w;
  };
  consider(shortest_on_simplex(gram));  // where g_w may vanish, and the value has an edge
  const TaskMatrix matrix = regular(gram);
  for (unsigned mask = 1; mask < (1U << tasks); ++mask) {
    const auto support = members(mask, tasks);
    TaskVector w = TaskVector::Zero(tasks);
    if (support.size() == 1) {
      w[support.front()] = 1;
      consider(w);
      continue;
    }
    // K w is along mu 1 - b; sum w = 1 and the length of g_w leave a quadratic for mu.
    const auto part = part_of(matrix, support, support);
    const TaskVector ones = TaskVector::Ones(part.rows()), b_part = part_of(b, support);
    const TaskVector x = solve_positive(part, ones), y = solve_positive(part, b_part);
    const double xx = x.sum(), xy = y.sum(), yy = y.dot(b_part);
    const double discriminant = xy * xy - xx * (yy - radius * radius);
    if (!(discriminant > 0) || !(xx > 0)) continue;
    const double root = std::sqrt(discriminant);
    const TaskVector solved = ((xy + root) / xx * x - y) / root;
    if (solved.minCoeff() < -1e-9) continue;
    for (Eigen::Index i = 0; i < solved.size(); ++i) {
      w[support[static_cast<std::size_t>(i)]] = std::max(0.0, solved[i]);
    }
    consider(w / w.sum());
  }
  return best;
}

}  // namespace limpid::detail
