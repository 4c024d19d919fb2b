#pragma once

#include <limpid/model/any_model.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/training_run.hpp>
#include <limpid/weighting/interference.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifndef LIMPID_COMPILED  // which holds what is behind the interface
#include <limpid/training/training_loop.hpp>
#endif

namespace limpid {

/// Trains a model whose tasks are named at run time: what `MultiTaskTrainer` does, without types.
///
/// ```cpp
/// AnyTrainer trainer{options, make_model({"nafnet", {{"width", 16}}}, {"deblur", "my-task"})};
/// trainer.branch("my-task", Branch{.pairs = ..., .content = ...});
/// trainer.fit();
/// ```
class AnyTrainer {
 public:
  /// A trainer of the given model, whose weights it shares.
  AnyTrainer(TrainerOptions options, AnyModel model)
      : model_(std::move(model)), run_(detail::new_training_run(std::move(options), model_)) {}

  /// Says what a task trains on and by which losses; takes a `Branch`, too. Every task that trains
  /// (`TrainerOptions::frozen`) needs it once before `fit`.
  ///
  /// @throws c10::ValueError if the model trains no such task, for a number out of range, or a
  /// critic
  ///         that another task has already.
  void branch(std::string_view task, AnyBranch branch) {
    run_->set_branch(task, std::move(branch));
  }

  /// As `MultiTaskTrainer::fit`.
  FitResult fit() { return run_->fit(); }

  /// As `MultiTaskTrainer::step`.
  std::vector<LossValue> step(const std::vector<Batch>& batches) { return run_->step(batches); }

  /// As `MultiTaskTrainer::freeze_encoder`.
  void freeze_encoder(bool frozen) { run_->freeze(frozen); }

  /// As `MultiTaskTrainer::interference`.
  const std::optional<Interference>& interference() const { return run_->interference(); }

  /// As `MultiTaskTrainer::why_no_step_graphs`.
  const std::string& why_no_step_graphs() const { return run_->why_no_step_graphs(); }

  /// The model in training.
  AnyModel& model() { return model_; }
  const AnyModel& model() const { return model_; }

  /// As `MultiTaskTrainer::model_for_use`.
  AnyModel model_for_use() { return run_->model_for_use(); }

  const TrainerOptions& options() const { return run_->options(); }
  std::int64_t steps_done() const { return run_->steps_done(); }

 private:
  AnyModel model_;
  std::unique_ptr<detail::TrainingRun> run_;
};

}  // namespace limpid
