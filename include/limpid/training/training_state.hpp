#pragma once

#include <limpid/core/modules.hpp>
#include <limpid/core/random.hpp>
#include <limpid/datasets/loader.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/optim/named_parameters.hpp>
#include <limpid/optim/parameter_updates.hpp>
#include <limpid/optim/weight_average.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/step_agenda.hpp>
#include <limpid/training/step_graph.hpp>
#include <limpid/training/task_gradients.hpp>
#include <limpid/weighting/any_weighting.hpp>
#include <limpid/weighting/interference.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace limpid::detail {

/// One task in training: its losses, critic, optimiser of the critic, and data.
struct TaskState {
  std::string name;
  AnyBranch branch;
  bool has_branch = false;
  NamedParameters critic_parameters;
  std::unique_ptr<ParameterUpdates> critic_updates;
  bool tries_critic = false;  ///< its step is tried in this one, and taken at the end
  std::unique_ptr<PairLoader> loader;
  Random random{0};
};

/// The best validation of a run so far.
struct BestValidation {
  double score = 0;         ///< mean gain in PSNR over the tasks, dB
  std::int64_t step = 0;    ///< of the run
  std::int64_t failed = 0;  ///< pictures that it left out
  std::string data{};       ///< what tells its pictures from others
};

/// Everything that a step changes.
struct TrainingState {
  AnyModel model;
  std::vector<TaskState> tasks;
  std::unique_ptr<ParameterUpdates> updates;
  AnyWeighting weighting;      ///< where it stands after the steps done
  Random weighting_random{0};  ///< what it draws from
  TaskGradients gradients;     ///< of a step in which the weighting wants them apart
  std::optional<Interference> interference{};  ///< of the last step, where it was looked at
  std::optional<WeightAverage> average{};      ///< of the model's weights, where it is asked for
  std::optional<BestValidation> best{};
  std::int64_t step = 0;        ///< steps done
  double seconds = 0;           ///< of training so far, over all sittings
  bool validation_due = false;  ///< a validation after this step has not come to its end yet

  StepGraph graph{};                      ///< records steps, where that is asked for
  std::function<void()> while_waiting{};  ///< done while a card computes what a step will read

  // Where several processes train together:
  std::function<StepAgenda()> agenda_of_this{};  ///< what this process has to say after a step
  StepAgenda agenda{};                           ///< what all of them agreed on in the last one
  at::Tensor exchange_buffer{};

  std::vector<std::int64_t> data_changes;  ///< steps that the run was resumed at with other data
};

}  // namespace limpid::detail
