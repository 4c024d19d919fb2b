#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <limpid/model/task_set.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/training_run.hpp>
#include <limpid/weighting/interference.hpp>

#include <torch/utils.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#ifndef LIMPID_COMPILED  // which holds what is behind the interface
#include <limpid/training/training_loop.hpp>
#endif

namespace limpid {

namespace detail {

template <class EncoderT, class... Decoders>
concept GoodTaskSet = task_set_fault<EncoderT, Decoders...>()
== TaskSetFault::none;

}  // namespace detail

/// A wrong task set: refused in one line at compile time.
template <class EncoderT, class... Decoders>
class MultiTaskTrainer
    : public detail::Refused,
      private detail::CheckedTaskSet<detail::task_set_fault<EncoderT, Decoders...>()> {
 public:
  using detail::Refused::Refused;
};

/// Trains one encoder shared by several tasks, and a decoder and a critic for each task.
///
/// ```cpp
/// MultiTaskTrainer<ResNetEncoder, ResNetDecoder<"deblur">, ResNetDecoder<"derain">> trainer{
///     options};
/// trainer.branch<"deblur">(Branch{.pairs = ..., .content = ...});
/// trainer.branch<"derain">(Branch{.pairs = ..., .content = ...});
/// trainer.fit();
/// ```
///
/// Source: Martyniuk, "Multi-task learning for image restoration", UCU 2019, sec. 3 and 4.3.
template <class EncoderT, class... Decoders>
requires detail::GoodTaskSet<EncoderT, Decoders...>
class MultiTaskTrainer<EncoderT, Decoders...> {
 public:
  using Model = MultiTaskModel<EncoderT, Decoders...>;

  /// A trainer of a new model, its weights drawn from `options.seed`.
  explicit MultiTaskTrainer(TrainerOptions options = {})
      : MultiTaskTrainer(seeded(std::move(options)), [] { return Model{}; }) {}

  /// A trainer of the given model, which it shares.
  MultiTaskTrainer(TrainerOptions options, Model model)
      : MultiTaskTrainer(std::move(options), [&] { return model; }) {}

  /// A trainer of a model made of the given encoder and decoders.
  MultiTaskTrainer(TrainerOptions options, EncoderT encoder, Decoders... decoders)
      : MultiTaskTrainer(std::move(options), [&] {
          return Model{encoder, decoders...};
        }) {}

  /// Says what a task trains on and by which losses. Every task needs it once before `fit`.
  ///
  /// @throws c10::ValueError for a number out of range, or a critic that another task has already.
  template <FixedString Task, class Content, class CriticT, class Adversarial>
  void branch(Branch<Content, CriticT, Adversarial> branch) {
    this->branch<Task>(AnyBranch{std::move(branch)});
  }

  /// The same with losses and critic chosen at run time.
  template <FixedString Task>
  void branch(AnyBranch branch) {
    constexpr auto index = detail::task_index(detail::kTaskNames<Decoders...>, Task);
    static_assert(index < sizeof...(Decoders),
                  "limpid: no decoder of this trainer has the task of branch<TASK>");
    if constexpr (index < sizeof...(Decoders)) run_->set_branch(Task, std::move(branch));
  }

  /// The same for a task named at run time.
  ///
  /// @throws c10::ValueError also if no decoder has the task.
  void branch(std::string_view task, AnyBranch branch) {
    run_->set_branch(task, std::move(branch));
  }

  /// Trains until the run's length is reached, `stop_after` steps are done, or a signal comes;
  /// shows progress, validates, logs and saves on the way.
  ///
  /// @throws c10::Error for missing branches or data, a loss that is not finite, a full disk.
  FitResult fit() { return run_->fit(); }

  /// One training step on given batches, one for each task in the order of the decoders: for users
  /// who run their own loop.
  /// @return the step's losses.
  std::vector<LossValue> step(const std::vector<Batch>& batches) { return run_->step(batches); }

  /// Freezes or thaws the encoder's pretrained part, for a loop of your own; `fit` does so as
  /// `options().freeze_encoder_epochs` says.
  void freeze_encoder(bool frozen) { run_->freeze(frozen); }

  /// The model in training.
  Model& model() { return model_; }

  /// How much the tasks' gradients of the encoder agreed in the last step; there after each step
  /// whose number `options().interference_every` divides.
  const std::optional<Interference>& interference() const { return run_->interference(); }

  /// Why steps are not recorded although `options().step_graphs` asks for it; empty where they are.
  const std::string& why_no_step_graphs() const { return run_->why_no_step_graphs(); }

  /// A model of its own with the weights that `model.limpid` gets: their averages, if
  /// `options().average` asks for them.
  /// @throws c10::Error if a module inside is not `Cloneable`.
  AnyModel model_for_use() { return run_->model_for_use(); }

  const TrainerOptions& options() const { return run_->options(); }
  std::int64_t steps_done() const { return run_->steps_done(); }

 private:
  template <class MakeModel>
  requires std::is_invocable_r_v<Model, MakeModel> MultiTaskTrainer(TrainerOptions options,
                                                                    MakeModel make_model)
      : model_(make_model()),
        run_(detail::new_training_run(std::move(options), AnyModel{model_})) {}

  static TrainerOptions seeded(TrainerOptions options) {
    torch::manual_seed(options.seed);
    return options;
  }

  Model model_;
  std::unique_ptr<detail::TrainingRun> run_;
};

}  // namespace limpid
