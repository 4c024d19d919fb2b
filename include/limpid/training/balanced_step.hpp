#pragma once

#include <limpid/training/step_losses.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/weighting/any_weighting.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/interference.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// The gradients that there are.
inline std::vector<at::Tensor> gradients_of(const NamedParameters& parameters) {
  std::vector<at::Tensor> gradients;
  for (const auto& [name, parameter] : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  return gradients;
}

/// The norm of the parameters' gradient, on its device; undefined where there is none.
inline at::Tensor gradient_norm(const NamedParameters& parameters) {
  const auto gradients = gradients_of(parameters);
  if (gradients.empty()) return {};
  if (gradients.front().is_cuda()) return at::stack(at::_foreach_norm(gradients)).norm();
  std::vector<at::Tensor> norms;
  for (const auto& gradient : gradients) norms.push_back(gradient.norm());
  return at::stack(norms).norm();
}

/// How the tasks' backwards of one step become the gradient of encoder and decoders, by the run's
/// weighting. With equal weights gradients add up in place, as if there were no weighting.
class BalancedStep {
 public:
  /// @param epoch  of the step, from 0
  /// @param watch  whether to leave in `state.interference` how much the tasks' gradients agree;
  ///               changes nothing of what the step computes
  BalancedStep(TrainingState& state, std::int64_t epoch, bool watch = false)
      : state_(state), watch_(watch) {
    state.interference.reset();
    step_.tasks = state.model.tasks;
    step_.epoch = epoch;
    step_.random = state.weighting_random;
    if (needs() != WeightingNeeds::nothing && state.weighting.tensors().empty()) {
      trial_ = state.weighting;
    }
    if (needs() == WeightingNeeds::past) {
      weights_ = weighting().ahead(step_);
    }
    if (is_apart()) state.gradients.begin(state.model.parameters, step_.count());
  }

  /// The backward of one task's loss, its branch's weight included.
  void backward(std::size_t task, const at::Tensor& loss) {
    if (is_apart()) state_.gradients.land_in(task);
    if (needs() == WeightingNeeds::past) {
      (weights_[static_cast<Eigen::Index>(task)] * loss).backward();
    } else {
      loss.backward();
    }
  }

  /// Makes one gradient of all tasks'.
  /// @throws c10::Error that names the task whose loss or gradient is not finite; nothing has moved
  ///         then.
  void combine(StepLosses& losses) {
    at::NoGradGuard no_grad;
    if (watch_) watch();
    if (!needs_rows()) {
      if (watch_) state_.gradients.use_sum();
    } else {
      check_decoders(losses);
      losses.fetch({});
      auto& rows = state_.gradients.rows();
      const auto gram = gram_matrix(rows);
      for (Eigen::Index t = 0; t < gram.rows(); ++t) {
        losses.check(step_.tasks[static_cast<std::size_t>(t)],
                     "the gradient of the encoder has norm ",
                     at::full({}, std::sqrt(gram(t, t)), at::kDouble));
      }
      take_losses(losses);
      const auto combination = weighting().combine(step_, gram, rows);
      state_.gradients.use(combination.row);
      scale_decoders(combination.decoders);
      weights_ = combination.weights;
    }
    if (watch_) state_.interference->weights = weights_;
    for (Eigen::Index t = 0; t < weights_.size(); ++t) {
      losses.report(step_.tasks[static_cast<std::size_t>(t)], "weight", weights_[t]);
    }
  }

  /// The step is done.
  void keep(const StepLosses& losses) {
    state_.weighting_random = step_.random;
    if (needs() == WeightingNeeds::past) {
      take_losses(losses);
      weighting().observe(step_);
    }
    if (trial_) state_.weighting = std::move(*trial_);
  }

 private:
  WeightingNeeds needs() const { return state_.weighting.needs(); }
  bool needs_rows() const {
    return needs() == WeightingNeeds::losses || needs() == WeightingNeeds::gradients;
  }
  bool is_apart() const { return needs_rows() || watch_; }

  void watch() {
    const auto parts = encoder_parts(TaskGradients::layout(state_.model.parameters));
    state_.interference = Interference::of(step_.tasks, state_.gradients.rows(), parts);
    if (needs() == WeightingNeeds::past) state_.interference->unweigh(weights_);
  }
  AnyWeighting& weighting() { return trial_ ? *trial_ : state_.weighting; }

  template <class F>
  void for_each_decoder(F f) {
    for (std::size_t t = 0; t < step_.tasks.size(); ++t) {
      NamedParameters decoder;
      const auto prefix = "decoder." + step_.tasks[t] + ".";
      for (const auto& item : state_.model.parameters) {
        if (item.first.starts_with(prefix)) decoder.push_back(item);
      }
      f(t, decoder);
    }
  }

  void check_decoders(StepLosses& losses) {
    for_each_decoder([&](std::size_t t, const NamedParameters& decoder) {
      losses.check(step_.tasks[t], "the gradient of the decoder has norm ", gradient_norm(decoder));
    });
  }

  void scale_decoders(const TaskVector& factors) {
    for_each_decoder([&](std::size_t t, const NamedParameters& decoder) {
      const auto factor = factors[static_cast<Eigen::Index>(t)];
      if (factor == 1) return;
      for (const auto& [name, parameter] : decoder) {
        if (parameter.grad().defined()) parameter.mutable_grad().mul_(factor);
      }
    });
  }

  void take_losses(const StepLosses& losses) {
    step_.losses = TaskVector::Zero(step_.count());
    for (const auto& loss : losses.values()) {
      if (loss.term != "total") continue;
      for (std::size_t t = 0; t < step_.tasks.size(); ++t) {
        if (step_.tasks[t] != loss.task) continue;
        step_.losses[static_cast<Eigen::Index>(t)] = state_.tasks[t].branch.weight * loss.value;
      }
    }
  }

  TrainingState& state_;
  bool watch_;
  WeightingStep step_;
  // In the place of the run's until the step is kept. What remembers gradients works in place, to
  // save their memory: it moves only once losses and gradients are known to be finite.
  std::optional<AnyWeighting> trial_;
  TaskVector weights_;
};

}  // namespace limpid::detail
