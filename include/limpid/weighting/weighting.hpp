#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>

#include <ATen/core/Tensor.h>
#include <Eigen/Core>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// How the losses and the gradients of several tasks become one step of what the tasks share.

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// A number for each task, in the order of the decoders.
using TaskVector = Eigen::VectorXd;

/// A number for each pair of tasks.
using TaskMatrix = Eigen::MatrixXd;

/// What a weighting learns of one training step.
struct WeightingStep {
  std::vector<std::string> tasks;  ///< names, for errors and for weights by name
  TaskVector losses{};             ///< of the step; empty while they are not known yet
  std::int64_t epoch = 0;          ///< of the step, from 0
  Random random{0};                ///< what random choices are drawn from

  Eigen::Index count() const { return static_cast<Eigen::Index>(tasks.size()); }
};

/// Weights from losses alone. `weights(step)` gives what each task's loss is multiplied by, so its
/// decoder learns by it, too.
///
/// A weighting may keep numbers from step to step. It declares them once, in
/// `static void each_state(auto& self, auto&& visit)`, which calls `visit("s", self.s)` for each: a
/// `TaskVector`, a `TaskMatrix`, a `double`, a `std::int64_t` or an `at::Tensor`. Numbers that are
/// empty at first and sized by the first step are the rule.
template <class W>
concept LossWeighting = std::copyable<W> && requires(W weighting, WeightingStep& step) {
  { weighting.weights(step) } -> std::same_as<TaskVector>;
};

/// A `LossWeighting` that knows its weights before the step's losses are computed: `weights` is
/// called first and sees no losses; `observe(step)` is told them after the step. It costs no
/// memory.
template <class W>
concept WeighsAhead = LossWeighting<W> && requires(W weighting, const WeightingStep& step) {
  weighting.observe(step);
};

/// Weights from the Gram matrix G of the gradients that the tasks have in the shared encoder, G_ij
/// the product of the gradients of the tasks i and j: T x T numbers in, T weights out. The encoder
/// follows the weighted sum of the tasks' gradients; each decoder follows its own task's loss as
/// ever, unless a member `TaskVector decoders(const WeightingStep&) const` says by what its
/// gradient is multiplied (asked before `weights`).
template <class W>
concept GramWeighting = std::copyable<W> &&
    requires(W weighting, WeightingStep& step, const TaskMatrix& gram) {
  { weighting.weights(step, gram) } -> std::same_as<TaskVector>;
};

/// What a `RowWeighting` makes of the tasks' gradients.
struct CombinedRow {
  at::Tensor row;        ///< (P), what the shared encoder follows
  TaskVector weights{};  ///< what logs show of it; may be empty
};

/// Combines the gradients of the shared encoder itself: `rows`, (T, P) float, in whatever way no
/// Gram matrix can say. It may overwrite `rows`. `decoders` as for a `GramWeighting`.
template <class W>
concept RowWeighting = std::copyable<W> &&
    requires(W weighting, WeightingStep& step, const TaskMatrix& gram, at::Tensor& rows) {
  { weighting.combine(step, gram, rows) } -> std::same_as<CombinedRow>;
};

/// How several tasks share one encoder.
template <class W>
concept Weighting = LossWeighting<W> || GramWeighting<W> || RowWeighting<W>;

namespace detail {

/// A state that is empty before the first step, and then of the tasks' number.
/// @throws c10::Error if it is of another number of tasks.
LIMPID_INLINE void begin_state(TaskVector& state, const WeightingStep& step, double first);

LIMPID_INLINE void begin_state(TaskMatrix& state, const WeightingStep& step, double first);

inline constexpr double kLeastLoss = 1e-8;

/// The step's losses for a method that divides by them or takes their logarithm; at least 1e-8.
/// @throws c10::ValueError that names a task whose loss is negative.
LIMPID_INLINE TaskVector positive_losses(std::string_view method, const WeightingStep& step);

/// Softmax of any number of scores.
LIMPID_INLINE TaskVector softmax(const TaskVector& scores);

/// Logarithms of learned weights, kept where one bad batch breaks nothing for good.
LIMPID_INLINE TaskVector bounded_logarithms(const TaskVector& logarithms);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void begin_state(TaskVector& state, const WeightingStep& step, double first) {
  if (state.size() == 0) state = TaskVector::Constant(step.count(), first);
  TORCH_CHECK(state.size() == step.count(), "weighting: its state is of ", state.size(),
              " tasks, the step has ", step.count());
}

LIMPID_INLINE void begin_state(TaskMatrix& state, const WeightingStep& step, double first) {
  if (state.size() == 0) state = TaskMatrix::Constant(step.count(), step.count(), first);
  TORCH_CHECK(state.rows() == step.count() && state.cols() == step.count(),
              "weighting: its state is of ", state.rows(), " tasks, the step has ", step.count());
}

LIMPID_INLINE TaskVector positive_losses(std::string_view method, const WeightingStep& step) {
  for (Eigen::Index i = 0; i < step.losses.size(); ++i) {
    if (step.losses[i] >= 0) continue;
    limpid::refuse("weighting ", method, ": expected losses of at least 0, task '",
                   step.tasks[static_cast<std::size_t>(i)], "' has ", step.losses[i],
                   "; option offset=N adds N to each loss that the weighting sees (80 for a PSNR "
                   "loss)");
  }
  return step.losses.cwiseMax(kLeastLoss);
}

LIMPID_INLINE TaskVector softmax(const TaskVector& scores) {
  const TaskVector exponentials = (scores.array() - scores.maxCoeff()).exp();
  return exponentials / exponentials.sum();
}

LIMPID_INLINE TaskVector bounded_logarithms(const TaskVector& logarithms) {
  return logarithms.cwiseMax(-30.0).cwiseMin(30.0);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
