#pragma once

#include <limpid/model/adapters.hpp>
#include <limpid/model/manifest.hpp>
#include <limpid/training/gradient_exchange.hpp>
#include <limpid/training/step_losses.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/weighting/any_weighting.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/interference.hpp>
#include <limpid/weighting/weighting_rows.hpp>

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

/// The norm of all tensors together; undefined where there is none.
inline at::Tensor norm_of(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> norms;
  for (const auto& tensor : tensors) {
    if (tensor.defined()) norms.push_back(tensor.norm());
  }
  return norms.empty() ? at::Tensor{} : at::stack(norms).norm();
}

/// What the generator minimises for one task, its branch's weight included: the whole, and the
/// terms of which it is the sum.
struct GeneratorLoss {
  at::Tensor total, content;
  at::Tensor adversarial{};  ///< undefined where there is no critic

  friend GeneratorLoss operator*(double share, const GeneratorLoss& loss) {
    const auto part = [share](const at::Tensor& term) {
      return term.defined() ? share * term : term;
    };
    return {part(loss.total), part(loss.content), part(loss.adversarial)};
  }
};

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
    std::vector<bool> has_critic;
    for (const auto& task : state.tasks) has_critic.push_back(bool(task.branch.adversary));
    rows_ = rows_of(state.weighting.rows(), has_critic);
    for (const auto& row : rows_) step_.tasks.push_back(row.name(state.model.tasks[row.task]));
    kept_.resize(rows_.size());
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

  /// The backward of one task's loss.
  void backward(std::size_t task, const GeneratorLoss& loss) {
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (rows_[row].task != task) continue;
      if (is_apart()) state_.gradients.land_in(row);
      const auto& part = rows_[row].part == Part::content       ? loss.content
                         : rows_[row].part == Part::adversarial ? loss.adversarial
                                                                : loss.total;
      const auto weighed =
          needs() == WeightingNeeds::past ? weights_[static_cast<Eigen::Index>(row)] * part : part;
      const bool has_own_decoder = needs_rows() && rows_[row].part != Part::total;
      if (has_own_decoder) exchange_decoder(row);
      weighed.backward({}, /*retain_graph=*/rows_[row].part == Part::content);
      if (has_own_decoder) exchange_decoder(row);
    }
  }

  /// Makes gradients and losses of this process's part of the batches those of the whole ones.
  /// @param sums  floats of the caller's own that come back as sums over the processes
  void exchange(GradientExchange& exchange, StepLosses& losses, const at::Tensor& sums) {
    if (is_apart()) {
      exchange.add(state_.gradients.rows());
      for (std::size_t row = 0; row < rows_.size(); ++row) {
        const auto decoder = decoder_of(row);
        if (kept_[row].empty()) {
          // The rows of a task's terms share the decoder's gradients then.
          if (rows_[row].part != Part::adversarial) exchange.add_gradients(decoder);
        }
        for (std::size_t i = 0; i < kept_[row].size(); ++i) {
          exchange.add(kept_[row][i], decoder[i].second.numel());
        }
      }
    } else {
      exchange.add_gradients(state_.model.parameters);
    }
    const auto numbers = losses.numbers();
    exchange.add_exactly(numbers);
    exchange.run(sums);
    losses.put(numbers);
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
  using Part = WeightingRow::Part;

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

  /// The parameters that only a row's task trains: its decoder, and its adapters of the encoder.
  NamedParameters decoder_of(std::size_t row) const {
    NamedParameters decoder;
    const auto& task = state_.model.tasks[rows_[row].task];
    const auto of_decoder = decoder_prefix(task), of_adapters = adapter_prefix(task);
    for (const auto& item : state_.model.parameters) {
      if (item.first.starts_with(of_decoder) || item.first.starts_with(of_adapters)) {
        decoder.push_back(item);
      }
    }
    return decoder;
  }

  /// Puts the decoder's gradient by one term aside, or back: each will have a weight of its own.
  void exchange_decoder(std::size_t row) {
    const auto decoder = decoder_of(row);
    kept_[row].resize(decoder.size());
    for (std::size_t i = 0; i < decoder.size(); ++i) {
      std::swap(decoder[i].second.mutable_grad(), kept_[row][i]);
    }
  }

  void check_decoders(StepLosses& losses) {
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const auto norm = kept_[row].empty() ? gradient_norm(decoder_of(row)) : norm_of(kept_[row]);
      losses.check(step_.tasks[row], "the gradient of the decoder has norm ", norm);
    }
  }

  void scale_decoders(const TaskVector& factors) {
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const auto factor = factors[static_cast<Eigen::Index>(row)];
      if (rows_[row].part == Part::adversarial) exchange_decoder(row);
      const auto decoder = decoder_of(row);
      for (std::size_t i = 0; i < decoder.size(); ++i) {
        auto& gradient =
            rows_[row].part == Part::content ? kept_[row][i] : decoder[i].second.mutable_grad();
        if (factor != 1 && gradient.defined()) gradient.mul_(factor);
        if (rows_[row].part != Part::adversarial) continue;
        const auto& content = kept_[row - 1][i];
        if (content.defined()) gradient = gradient.defined() ? gradient.add_(content) : content;
      }
    }
  }

  void take_losses(const StepLosses& losses) {
    step_.losses = TaskVector::Zero(step_.count());
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const auto& task = state_.tasks[rows_[row].task];
      const bool is_adversarial = rows_[row].part == Part::adversarial;
      const auto term = is_adversarial                     ? "adversarial"
                        : rows_[row].part == Part::content ? "content"
                                                           : "total";
      const auto scale = task.branch.weight * (is_adversarial ? task.branch.adversarial_weight : 1);
      for (const auto& loss : losses.values()) {
        if (loss.term != term || loss.task != task.name) continue;
        step_.losses[static_cast<Eigen::Index>(row)] = scale * loss.value;
      }
    }
  }

  TrainingState& state_;
  bool watch_;
  std::vector<WeightingRow> rows_;
  WeightingStep step_;                         // its "tasks" are the rows
  std::vector<std::vector<at::Tensor>> kept_;  // the decoders' gradients of terms
  // In the place of the run's until the step is kept. What remembers gradients works in place, to
  // save their memory: it moves only once losses and gradients are known to be finite.
  std::optional<AnyWeighting> trial_;
  TaskVector weights_;
};

}  // namespace limpid::detail
