#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/solvers.hpp>
#include <limpid/weighting/weighting.hpp>

#include <cmath>

// Both halves of Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021.
namespace limpid {

/// Impartial losses: a scale for each task is learned so that all scaled losses tend to 1. The
/// minimised value is sum of exp(s_i) loss_i - s_i, weights are exp(s_i).
///
/// Source: Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021, sec. 3.2.
/// Differs: s follows its own gradient with a rate of its own, not the network's optimiser.
struct ImpartialLosses {
  double rate = 0.01;  ///< of the descent of s

  TaskVector s{};

  static void each_option(auto& self, auto&& visit) {
    visit("rate", self.rate, "of the descent of the tasks' scales");
  }
  static void each_state(auto& self, auto&& visit) { visit("s", self.s); }
  void check() const { detail::check_positive("rate", rate); }

  TaskVector weights(const WeightingStep& step) {
    detail::begin_state(s, step, 0.0);
    return s.array().exp();
  }

  /// Of the minimised value, with respect to s.
  TaskVector gradient(const TaskVector& losses) const {
    return losses.array() * s.array().exp() - 1;
  }

  void observe(const WeightingStep& step) {
    const auto losses = detail::positive_losses("imtl-l", step);
    s = detail::bounded_logarithms(s - rate * gradient(losses));
  }
};

/// Impartial gradients: the combination whose projections on all tasks' gradients are equal. w sums
/// to 1 and g_w . g_i / |g_i| is the same for all i: w = v / sum of v, G v = (|g_i|).
///
/// Source: Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021, sec. 3.1.
/// Differs: weights may be negative, as there; gradients that depend on one another are solved by
/// the pseudo-inverse, and where v sums to nothing weights are equal. A task without a gradient
/// takes no part.
struct ImpartialGradients {
  TaskVector weights(const WeightingStep&, const TaskMatrix& gram) {
    return detail::without_zero_gradients(gram, [](const TaskMatrix& part, const auto&) {
      // In unit vectors: their Gram matrix does not care how long gradients are.
      const TaskVector inverse = detail::lengths(part).cwiseInverse();
      const TaskMatrix cosines = inverse.asDiagonal() * part * inverse.asDiagonal();
      const TaskVector ones = TaskVector::Ones(part.rows());
      const TaskVector v = detail::solve_semidefinite(cosines, ones, 1e-6).cwiseProduct(inverse);
      const double sum = v.sum();
      if (std::abs(sum) <= 1e-9 * v.cwiseAbs().sum()) {
        return TaskVector{ones / static_cast<double>(part.rows())};
      }
      return TaskVector{v / sum};
    });
  }
};

/// Both halves: losses scaled as `ImpartialLosses` learns, then their gradients combined as
/// `ImpartialGradients` does. Decoders follow the scaled losses.
///
/// Source: Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021.
struct Impartial {
  ImpartialLosses losses{};

  static void each_option(auto& self, auto&& visit) {
    ImpartialLosses::each_option(self.losses, visit);
  }
  static void each_state(auto& self, auto&& visit) {
    ImpartialLosses::each_state(self.losses, visit);
  }
  void check() const { losses.check(); }

  TaskVector decoders(const WeightingStep& step) const {
    return ImpartialLosses{losses}.weights(step);
  }

  TaskVector weights(const WeightingStep& step, const TaskMatrix& gram) {
    const TaskVector scales = losses.weights(step);
    losses.observe(step);
    const TaskMatrix scaled = scales.asDiagonal() * gram * scales.asDiagonal();
    return ImpartialGradients{}.weights(step, scaled).cwiseProduct(scales);
  }
};

static_assert(WeighsAhead<ImpartialLosses>);
static_assert(GramWeighting<ImpartialGradients> && GramWeighting<Impartial>);

}  // namespace limpid
