#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/named.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/solvers.hpp>
#include <limpid/weighting/weighting.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

/// What a gradient's length is divided by before `MGDA` compares.
enum class GradientScale { none, length, loss, loss_and_length };

inline constexpr NamedTable kGradientScales{
    "a scale of gradients", Named{"none", "as they are", GradientScale::none},
    Named{"l2", "by its length", GradientScale::length},
    Named{"loss", "by the task's loss", GradientScale::loss},
    Named{"loss-l2", "by the loss times the length", GradientScale::loss_and_length}};

inline void read_option(std::string_view text, GradientScale& scale) {
  scale = kGradientScales.at(text);
}

inline std::string option_text(GradientScale scale) {
  std::string name;
  kGradientScales.for_each([&](const auto& entry) {
    if (entry.value == scale) name = entry.name;
  });
  return name;
}

/// Multiple-gradient descent: the shortest convex combination of the tasks' gradients, along which
/// no task's loss rises. w = argmin over the simplex of |sum of w_i g_i / n_i|, n_i from `scale`;
/// the encoder follows sum of w_i g_i.
///
/// Source: Désidéri, "Multiple-gradient descent algorithm", Comptes Rendus Mathematique 2012; Sener
/// and Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018.
/// Differs: the exact solution, not an iteration's last point. The promise holds with `scale` none,
/// or with `combine_scaled`, the form of LibMTL, which adds up the g_i / n_i. A task without a
/// gradient takes no part, where the paper would stop.
struct MGDA {
  GradientScale scale = GradientScale::none;
  bool combine_scaled = false;

  static void each_option(auto& self, auto&& visit) {
    visit("scale", self.scale, "of gradients: none, l2, loss or loss-l2");
    visit("combine-scaled", self.combine_scaled, "add up the scaled gradients: yes or no");
  }

  TaskVector weights(const WeightingStep& step, const TaskMatrix& gram) {
    TaskVector losses = TaskVector::Ones(step.count());
    if (scale == GradientScale::loss || scale == GradientScale::loss_and_length) {
      losses = detail::positive_losses("mgda", step);
    }
    return detail::without_zero_gradients(gram, [&](const TaskMatrix& part, const auto& kept) {
      TaskVector divisors = detail::part_of(losses, kept);
      if (scale == GradientScale::length || scale == GradientScale::loss_and_length) {
        divisors.array() *= detail::lengths(part).array();
      }
      const TaskVector inverse = divisors.cwiseInverse();
      const TaskMatrix scaled = inverse.asDiagonal() * part * inverse.asDiagonal();
      const TaskVector w = detail::shortest_on_simplex(scaled);
      return combine_scaled ? TaskVector{w.cwiseProduct(inverse)} : w;
    });
  }
};

/// Direction-oriented multi-objective gradients: a step of MGDA that also keeps near the mean. w
/// descends 0.5 |g_w|^2 + lambda g_0 . g_w over the simplex, gradients scaled to a mean length of
/// 1, by `steps` steps with momentum 0.5 from where the last call ended; the encoder follows
/// (g_w + lambda g_0) / (1 + lambda), g_0 the mean of the gradients.
///
/// Source: Xiao, Ban, Ji, "Direction-oriented Multi-objective Learning: Simple and Provable
/// Stochastic Algorithms", NeurIPS 2023.
/// Differs: one batch of each task a step, so the Gram matrix is of one sample, not of two
/// independent ones. The rate of the descent is 1 / L, L the steepest curvature between weights,
/// and at most the published code's 5: with 5 the descent leaps about as soon as gradients differ,
/// and rounding decides where it ends.
struct SDMGrad {
  double lambda = 0.3;
  std::int64_t steps = 20;

  TaskVector w{};

  static void each_option(auto& self, auto&& visit) {
    visit("lambda", self.lambda, "pull to the mean of the gradients");
    visit("steps", self.steps, "of descent of the weights in each training step");
  }
  static void each_state(auto& self, auto&& visit) { visit("w", self.w); }
  void check() const {
    detail::check_not_negative("lambda", lambda);
    detail::check_at_least("steps", steps, 1);
  }

  TaskVector weights(const WeightingStep& step, const TaskMatrix& gram) {
    const auto tasks = static_cast<double>(step.count());
    detail::begin_state(w, step, 1 / tasks);
    const double length = detail::lengths(gram).mean();
    const TaskMatrix scaled = gram / (length * length + 1e-8);
    const double rate = std::min(5.0, 1 / (detail::curvature_on_simplex(scaled) + 1e-8));
    TaskVector velocity = TaskVector::Zero(step.count());
    for (std::int64_t i = 0; i < steps; ++i) {
      velocity = 0.5 * velocity + scaled * w + lambda * scaled.rowwise().mean();
      w = detail::projected_on_simplex(w - rate * velocity);
    }
    return (w.array() + lambda / tasks) / (1 + lambda);
  }
};

static_assert(GramWeighting<MGDA> && GramWeighting<SDMGrad>);

}  // namespace limpid
