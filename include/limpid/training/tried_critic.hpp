#pragma once

#include <limpid/core/modules.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/training_state.hpp>

#include <functional>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Whether the step of a task's critic may be tried for the task's own losses, and be taken when
/// the whole step is done. It is worth it with several critics, of which one at a time is copied
/// then; it needs a critic of the task's own that is stepped once, by nothing but its optimiser. On
/// a card memory is spent for fewer launches.
inline bool can_try_critic(const TrainingState& state, const TaskState& task,
                           const TrainerOptions& options) {
  if (!options.device.is_cpu() || options.accumulate > 1) return false;
  const auto& adversary = task.branch.adversary;
  if (task.branch.critic_updates != 1 || adversary.acts_after_critic_step) return false;
  bool has_others = false;
  for (const auto& other : state.tasks) {
    if (&other == &task || !other.branch.adversary) continue;
    if (other.branch.adversary.critic() == adversary.critic()) return false;
    has_others = true;
  }
  return has_others;
}

/// While it lives a critic may be stepped; then its weights and its optimiser are what they were
/// before. The gradient stays, so that the step can be taken again, to the same bits.
class TriedCritic {
 public:
  explicit TriedCritic(TaskState& task) {
    if (!task.tries_critic) return;
    task.critic_updates->make_room();
    std::vector<std::pair<at::Tensor, at::Tensor>> weights;
    for (const auto& [name, parameter] : task.critic_parameters) {
      weights.emplace_back(parameter.detach(), parameter.detach().clone());
    }
    put_back_ = [weights = std::move(weights), moments = task.critic_updates->remember()] {
      for (const auto& [parameter, before] : weights) at::Tensor{parameter}.copy_(before);
      moments();
    };
  }

  ~TriedCritic() {
    if (put_back_) put_back_();
  }
  TriedCritic(const TriedCritic&) = delete;
  TriedCritic& operator=(const TriedCritic&) = delete;

 private:
  std::function<void()> put_back_;
};

}  // namespace limpid::detail
