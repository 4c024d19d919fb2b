#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/model/model_file.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <limpid/model/task_set.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/training_loop.hpp>

#include <torch/nn.h>
#include <torch/utils.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// A `MultiTaskTrainer` whose task set is good.
template <class EncoderT, class... Decoders>
class TaskSetTrainer {
 public:
  using Model = MultiTaskModel<EncoderT, Decoders...>;

  /// A trainer of a new model, its weights drawn from `options.seed`.
  explicit TaskSetTrainer(TrainerOptions options = {})
      : TaskSetTrainer(seeded(std::move(options)), [] { return Model{}; }) {}

  /// A trainer of the given model, which it shares.
  TaskSetTrainer(TrainerOptions options, Model model)
      : TaskSetTrainer(std::move(options), [&] { return model; }) {}

  /// A trainer of a model made of the given encoder and decoders.
  TaskSetTrainer(TrainerOptions options, EncoderT encoder, Decoders... decoders)
      : TaskSetTrainer(std::move(options), [&] {
          return Model{encoder, decoders...};
        }) {}

  /// Says what a task trains on and by which losses. Every task needs it once before `fit`.
  ///
  /// @throws c10::ValueError for a number out of range, or a critic that another task has already.
  template <FixedString Task, class Content, class CriticT, class Adversarial>
  void branch(Branch<Content, CriticT, Adversarial> branch) {
    constexpr auto index = task_index(kTaskNames<Decoders...>, Task);
    static_assert(index < sizeof...(Decoders),
                  "limpid: no decoder of this trainer has the task of branch<TASK>");
    if constexpr (index < sizeof...(Decoders)) loop_.set_branch(index, std::move(branch));
  }

  /// The same with losses and critic chosen at run time.
  template <FixedString Task>
  void branch(AnyBranch branch) {
    constexpr auto index = task_index(kTaskNames<Decoders...>, Task);
    static_assert(index < sizeof...(Decoders),
                  "limpid: no decoder of this trainer has the task of branch<TASK>");
    if constexpr (index < sizeof...(Decoders)) loop_.set_branch(index, std::move(branch));
  }

  /// The same for a task named at run time, with losses and critic chosen at run time.
  ///
  /// @throws c10::ValueError also if no decoder has the task.
  void branch(std::string_view task, AnyBranch branch) {
    const auto index = task_index(kTaskNames<Decoders...>, task);
    TORCH_CHECK_VALUE(index < sizeof...(Decoders), "branch: expected one of the tasks ",
                      listed(task_names<Model>()), ", got '", task, "'");
    loop_.set_branch(index, std::move(branch));
  }

  /// Trains until the run's length is reached, `stop_after` steps are done, or a signal comes;
  /// shows progress, validates, logs and saves on the way.
  ///
  /// @throws c10::Error for missing branches or data, a loss that is not finite, a full disk.
  FitResult fit() { return loop_.fit(); }

  /// One training step on given batches, one for each task in the order of the decoders: for users
  /// who run their own loop.
  /// @return the step's losses.
  std::vector<LossValue> step(const std::vector<Batch>& batches) { return loop_.step(batches); }

  /// Freezes or thaws the encoder's pretrained part for the steps of an own loop; `fit` does so by
  /// `options().freeze_encoder_epochs`.
  void freeze_encoder(bool frozen) { loop_.freeze(frozen); }

  /// The model in training.
  Model& model() { return model_; }

  const TrainerOptions& options() const { return loop_.options(); }
  std::int64_t steps_done() const { return loop_.steps_done(); }

 private:
  template <class MakeModel>
  requires std::is_invocable_r_v<Model, MakeModel> TaskSetTrainer(TrainerOptions options,
                                                                  MakeModel make_model)
      : model_(make_model()), loop_(std::move(options), view(model_)) {}

  static TrainerOptions seeded(TrainerOptions options) {
    torch::manual_seed(options.seed);
    return options;
  }

  static ModelView view(Model& model) {
    ModelView view;
    view.module = &*model;
    view.tasks = task_names<Model>();
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      using Restore = at::Tensor (*)(ModuleOf<Model>&, const at::Tensor&);
      static constexpr std::array<Restore, sizeof...(I)> kRestore{
          [](ModuleOf<Model>& m, const at::Tensor& degraded) {
            return restore_image(m.encoder(), m.template decoder<I>(), degraded);
          }...};
      view.restore = [module = &*model](std::size_t task, const at::Tensor& degraded) {
        return kRestore[task](*module, degraded);
      };
    }
    (std::index_sequence_for<Decoders...>{});
    view.pretrained = pretrained_part(model->encoder());
    view.tensors = [model]() mutable { return model_tensors(model); };
    view.expect = [model](TensorLoader& loader) mutable { expect_model(loader, model); };
    view.describe = [model]() mutable { return describe_model(model); };
    for (const auto& item : model->encoder()->named_parameters()) {
      view.parameters.emplace_back("encoder." + item.key(), item.value());
    }
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      const auto add = [&](auto& decoder, std::string_view task) {
        for (const auto& item : decoder->named_parameters()) {
          view.parameters.emplace_back(decoder_prefix(task) + item.key(), item.value());
        }
      };
      (add(model->template decoder<I>(), model->tasks[I]), ...);
    }
    (std::index_sequence_for<Decoders...>{});
    return view;
  }

  Model model_;
  TrainingLoop loop_;
};

template <class EncoderT, class... Decoders>
using TrainerBase =
    std::conditional_t<CheckedTaskSet<task_set_fault<EncoderT, Decoders...>()>::good,
                       TaskSetTrainer<EncoderT, Decoders...>, Refused>;

}  // namespace detail

/// Trains one encoder shared by several tasks, and a decoder and a critic for each task.
///
/// ```cpp
/// MultiTaskTrainer<ResNetEncoder, ResNetDecoder<"deblur">, ResNetDecoder<"derain">>
/// trainer{options}; trainer.branch<"deblur">(Branch{.pairs = ..., .content = ...});
/// trainer.branch<"derain">(Branch{.pairs = ..., .content = ...});
/// trainer.fit();
/// ```
///
/// Source: Martyniuk, "Multi-task learning for image restoration", UCU 2019, sec. 3 and 4.3.
/// Members: `detail::TaskSetTrainer`. A wrong task set is refused in one line at compile time.
template <class EncoderT, class... Decoders>
class MultiTaskTrainer : public detail::TrainerBase<EncoderT, Decoders...> {
 public:
  using Base = detail::TrainerBase<EncoderT, Decoders...>;
  using Base::Base;
};

}  // namespace limpid
