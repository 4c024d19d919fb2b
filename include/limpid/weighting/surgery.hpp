#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/weighting.hpp>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

// Gradients that are bent towards one another, pair by pair. What comes out is a combination of the
// gradients, so their Gram matrix says which.
namespace limpid {

namespace detail {

/// Positions 0, 1, ..., shuffled where asked for.
inline std::vector<Eigen::Index> order_of_tasks(WeightingStep& step, bool shuffled) {
  std::vector<Eigen::Index> order;
  for (Eigen::Index i = 0; i < step.count(); ++i) order.push_back(i);
  for (std::size_t i = order.size(); shuffled && i > 1; --i) {
    std::swap(order[i - 1],
              order[static_cast<std::size_t>(step.random.below(static_cast<std::int64_t>(i)))]);
  }
  return order;
}

}  // namespace detail

/// Projects conflicts away: each task's gradient loses, for one other task after another, what
/// points against that task's own gradient; the encoder follows the sum. p_i = g_i; for j != i: if
/// p_i . g_j < 0, p_i -= (p_i . g_j) / |g_j|^2 g_j.
///
/// Source: Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020.
struct PCGrad {
  bool shuffled = true;  ///< the others come in random order, drawn anew for each task

  static void each_option(auto& self, auto&& visit) {
    visit("shuffled", self.shuffled, "the others come in random order: yes or no");
  }

  TaskVector weights(WeightingStep& step, const TaskMatrix& gram) {
    TaskVector sum = TaskVector::Zero(step.count());
    for (Eigen::Index i = 0; i < step.count(); ++i) {
      TaskVector p = TaskVector::Unit(step.count(), i);
      for (const auto j : detail::order_of_tasks(step, shuffled)) {
        if (j == i || gram(j, j) <= 0) continue;
        p[j] -= std::min(0.0, p.dot(gram.col(j))) / gram(j, j);
      }
      sum += p;
    }
    return sum;
  }
};

/// The gradient vaccine: as `PCGrad`, but each pair of gradients is brought to the cosine that it
/// has had on average, not just to 0. p_i = g_i; for j != i with r = cos(p_i, g_j): if r < rho_ij,
/// p_i += |p_i| (rho_ij sqrt(1 - r^2) - r sqrt(1 - rho_ij^2)) / (|g_j| sqrt(1 - rho_ij^2)) g_j;
/// then rho_ij = (1 - beta) rho_ij + beta r.
///
/// Source: Wang et al., "Gradient Vaccine: Investigating and Improving Multi-task Optimization in
/// Massively Multilingual Models", ICLR 2021.
struct GradVac {
  double beta = 0.5;     ///< how fast the averages follow
  bool shuffled = true;  ///< the others come in random order, drawn anew for each task

  TaskMatrix rho{};  ///< average cosines

  static void each_option(auto& self, auto&& visit) {
    visit("beta", self.beta, "how fast the average cosines follow");
    visit("shuffled", self.shuffled, "the others come in random order: yes or no");
  }
  static void each_state(auto& self, auto&& visit) { visit("rho", self.rho); }
  void check() const {
    TORCH_CHECK_VALUE(beta > 0 && beta <= 1, "beta must be above 0 and at most 1, got ", beta);
  }

  TaskVector weights(WeightingStep& step, const TaskMatrix& gram) {
    detail::begin_state(rho, step, 0.0);
    const auto lengths = detail::lengths(gram);
    TaskVector sum = TaskVector::Zero(step.count());
    for (Eigen::Index i = 0; i < step.count(); ++i) {
      TaskVector p = TaskVector::Unit(step.count(), i);
      for (const auto j : detail::order_of_tasks(step, shuffled)) {
        const double length = std::sqrt(std::max(0.0, p.dot(gram * p)));
        if (j == i || lengths[j] <= 0 || length <= 0) continue;
        const double r = std::clamp(p.dot(gram.col(j)) / (length * lengths[j]), -1.0, 1.0);
        const double wanted = std::min(rho(i, j), 0.999999);
        if (r < wanted) {
          const double sine = std::sqrt(1 - wanted * wanted);
          p[j] += length * (wanted * std::sqrt(1 - r * r) - r * sine) / (lengths[j] * sine);
        }
        rho(i, j) = (1 - beta) * rho(i, j) + beta * r;
      }
      sum += p;
    }
    return sum;
  }
};

static_assert(GramWeighting<PCGrad> && GramWeighting<GradVac>);

}  // namespace limpid
