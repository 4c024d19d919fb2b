#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/core/random.hpp>
#include <limpid/training/averaged_weights.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/training_state.hpp>

#include <c10/util/Exception.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// How tasks get their branches, at first and when one is replaced later on.

namespace limpid::detail {

/// Gives a task its branch, in the place of the one it has. A critic that is new to the task gets
/// an optimiser of its own; one that stays keeps its.
/// @throws c10::ValueError for a number out of range, or a critic that another task has already.
inline void set_branch(TrainingState& state, std::size_t index, AnyBranch branch,
                       const TrainerOptions& options) {
  auto& task = state.tasks[index];
  const auto name = "branch '" + task.name + "': ";
  check_at_least(name + "batch_size", branch.batch_size, 1);
  check_at_least(name + "critic_updates", branch.critic_updates, 1);
  check_not_negative(name + "crop", static_cast<double>(branch.crop));
  check_not_negative(name + "weight", branch.weight);
  check_not_negative(name + "adversarial_weight", branch.adversarial_weight);
  branch.crop_grows = branch.crop == 0 && !options.progressive_crop.empty();
  if (branch.crop == 0) branch.crop = options.crop;
  for (const auto& other : state.tasks) {
    TORCH_CHECK_VALUE(&other == &task || !branch.adversary ||
                          other.branch.adversary.critic() != branch.adversary.critic(),
                      name, "its critic is already the critic of '", other.name,
                      "'; each task needs its own");
  }
  branch.content.to(options.device);
  branch.adversary.to(options.device);
  if (auto* critic = branch.adversary.critic()) lay_out(*critic, options.memory_format);
  if (task.branch.adversary.critic() != branch.adversary.critic()) {
    task.critic_updates.reset();
    task.critic_parameters.clear();
  }
  if (!task.has_branch) task.random = Random::stream(options.seed, {0x70656e616c7479, index});
  task.loader.reset();
  state.graph = StepGraph{};
  task.branch = std::move(branch);
  task.has_branch = true;
}

/// Makes the optimisers that are missing, once every task has a branch.
inline void prepare_optimisers(TrainingState& state, const TrainerOptions& options) {
  std::vector<std::string> missing;
  for (const auto& task : state.tasks) {
    if (!task.has_branch) missing.push_back(task.name);
  }
  TORCH_CHECK(missing.empty(), "MultiTaskTrainer: no branch was set for ", listed(missing));
  if (!state.updates) {
    state.updates = std::make_unique<ParameterUpdates>(generator_optimizer(options),
                                                       state.model.parameters, options.rate);
  }
  if (options.average > 0 && !state.average) {
    state.average.emplace(options.average, averaged_of(state.model));
  }
  for (auto& task : state.tasks) {
    auto* critic = task.branch.adversary.critic();
    if (critic == nullptr || task.critic_updates) continue;
    critic->train();
    for (const auto& item : critic->named_parameters()) {
      task.critic_parameters.emplace_back(item.key(), item.value());
    }
    task.critic_updates = std::make_unique<ParameterUpdates>(
        critic_optimizer(options), task.critic_parameters, options.critic_rate);
  }
}

}  // namespace limpid::detail
