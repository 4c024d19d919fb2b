#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/weighting.hpp>

#include <algorithm>
#include <cmath>

namespace limpid {

/// Active reweighting, made for image restoration: weight to a task whose loss rises, and whose
/// loss is far from the lowest it has had. T softmax(x / temperature) for T tasks, x_i = (loss_i /
/// last loss_i) (log(lowest loss_i) / log(loss_i)).
///
/// Source: Wu et al., "Harmony in Diversity: Improving All-in-One Image Restoration via Multi-Task
/// Collaboration" (Art), ACM Multimedia 2024.
/// Differs: the quotient of logarithms, which means something for losses below 1 only, counts as 1
/// where the loss is 0.99 or more, and is at most 10; weights sum to T, as equal ones do.
struct ActiveReweighting {
  double temperature = 1.0;  ///< higher is nearer to equal

  TaskVector last{}, lowest{};

  static void each_option(auto& self, auto&& visit) {
    visit("temperature", self.temperature, "higher is nearer to equal");
  }
  static void each_state(auto& self, auto&& visit) {
    visit("last", self.last);
    visit("lowest", self.lowest);
  }
  void check() const { detail::check_positive("temperature", temperature); }

  TaskVector weights(const WeightingStep& step) {
    const auto losses = detail::positive_losses("art", step);
    if (last.size() == 0) last = lowest = losses;
    detail::begin_state(last, step, 0.0);
    lowest = lowest.cwiseMin(losses);
    TaskVector scores{losses.size()};
    for (Eigen::Index i = 0; i < losses.size(); ++i) {
      const double logarithms =
          losses[i] < 0.99 ? std::min(10.0, std::log(lowest[i]) / std::log(losses[i])) : 1.0;
      scores[i] = losses[i] / last[i] * logarithms;
    }
    last = losses;
    return static_cast<double>(losses.size()) * detail::softmax(scores / temperature);
  }
};

static_assert(LossWeighting<ActiveReweighting>);

}  // namespace limpid
