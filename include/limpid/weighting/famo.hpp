#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/weighting.hpp>

#include <cmath>
#include <cstdint>

namespace limpid {

/// Fast adaptive multitask optimisation: all losses shall fall at one rate, without a gradient of
/// each. z = softmax(q), D_i = loss_i + 1e-8; the value is sum of z_i log(D_i) / c with the
/// constant c = sum of z_i / D_i, so weights are z_i / (D_i c). q follows by Adam the gradient
/// (diag(z) - z z^T) delta, delta_i = log D_i - log D_i after the step.
///
/// Source: Liu, Feng, Stone, Liu, "FAMO: Fast Adaptive Multitask Optimization", NeurIPS 2023.
/// Differs: the losses "after the step" are those of the next step's batch, so that no batch goes
/// through the network twice; with small batches delta is mostly noise, and a lower rate calms it.
struct FAMO {
  double rate = 0.025;
  double weight_decay = 1e-3;  ///< added to the gradient of q

  TaskVector q{}, mean{}, square{};  ///< q and Adam's moments
  TaskVector last{};                 ///< losses of the last step; empty before the first
  std::int64_t updates = 0;

  static void each_option(auto& self, auto&& visit) {
    visit("rate", self.rate, "of Adam on the weights' scores");
    visit("weight-decay", self.weight_decay, "pulls the scores to equal weights");
  }
  static void each_state(auto& self, auto&& visit) {
    visit("q", self.q);
    visit("mean", self.mean);
    visit("square", self.square);
    visit("last", self.last);
    visit("updates", self.updates);
  }
  void check() const {
    detail::check_positive("rate", rate);
    detail::check_not_negative("weight-decay", weight_decay);
  }

  TaskVector weights(const WeightingStep& step) {
    detail::begin_state(q, step, 0.0);
    detail::begin_state(mean, step, 0.0);
    detail::begin_state(square, step, 0.0);
    detail::positive_losses("famo", step);
    const TaskVector shifted = step.losses.array() + kSmall;
    if (last.size() != 0) update(last.array().log() - shifted.array().log());
    last = shifted;
    const auto z = detail::softmax(q);
    return z.cwiseQuotient(shifted) / z.cwiseQuotient(shifted).sum();
  }

  /// What the weights are derivatives of.
  double value(const TaskVector& losses) const {
    const TaskVector shifted = losses.array() + kSmall;
    const auto z = detail::softmax(q);
    return z.dot(shifted.array().log().matrix()) / z.cwiseQuotient(shifted).sum();
  }

 private:
  static constexpr double kSmall = 1e-8;

  void update(const TaskVector& delta) {
    constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
    const auto z = detail::softmax(q);
    const TaskVector gradient =
        z.cwiseProduct((delta.array() - z.dot(delta)).matrix()) + weight_decay * q;
    ++updates;
    mean = kBeta1 * mean + (1 - kBeta1) * gradient;
    square = kBeta2 * square + (1 - kBeta2) * gradient.cwiseAbs2();
    const auto t = static_cast<double>(updates);
    const TaskVector m = mean / (1 - std::pow(kBeta1, t));
    const TaskVector v = square / (1 - std::pow(kBeta2, t));
    q -= rate * m.cwiseQuotient((v.cwiseSqrt().array() + kEpsilon).matrix());
  }
};

static_assert(LossWeighting<FAMO>);

}  // namespace limpid
