#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/batch.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/step_losses.hpp>
#include <limpid/weighting/interference.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limpid {

/// How a call of `fit` ended.
enum class FitResult {
  finished,     ///< the run's length is reached
  stopped,      ///< after `stop_after` steps; saved
  interrupted,  ///< by SIGINT, SIGTERM or SIGHUP; saved
};

namespace detail {

/// The run around the step as trainers see it: what it is made of (training_loop.hpp) need not be
/// compiled with each of them.
class TrainingRun {
 public:
  virtual ~TrainingRun() = default;

  /// @throws c10::ValueError also for a task of which nothing trains.
  virtual void set_branch(std::string_view task, AnyBranch branch) = 0;

  /// Keeps the encoder's pretrained part as it is: no gradient of its weights, no update of its
  /// statistics. Its place in the optimiser stays, so that thawing changes neither moments nor
  /// rates of anything else.
  virtual void freeze(bool frozen) = 0;

  /// One step on given batches, one for each task in order.
  virtual std::vector<LossValue> step(std::vector<Batch> batches) = 0;

  /// Of several processes all return the same; one that fails tells the others why.
  virtual FitResult fit() = 0;

  /// A model of its own with the weights that are for use: the averages, where there are any.
  virtual AnyModel model_for_use() = 0;

  virtual const TrainerOptions& options() const = 0;
  virtual std::int64_t steps_done() const = 0;
  virtual const std::optional<Interference>& interference() const = 0;

  /// Why steps are not recorded although `TrainerOptions::step_graphs` asks for it; empty where
  /// they are, or where nobody asked.
  virtual const std::string& why_no_step_graphs() const = 0;
};

/// @throws c10::ValueError for options that cannot be.
template <class = void>
std::unique_ptr<TrainingRun> new_training_run(TrainerOptions options, AnyModel model);

#ifdef LIMPID_ONCE
LIMPID_ONCE std::unique_ptr<TrainingRun> new_training_run<>(TrainerOptions, AnyModel);
#endif

}  // namespace detail
}  // namespace limpid
