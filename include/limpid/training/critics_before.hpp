#pragma once

#include <limpid/core/modules.hpp>
#include <limpid/core/random.hpp>
#include <limpid/model/state_dict.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/training/tried_critic.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// The critics as they were before a training step. Unless the step is kept they come back, with
/// their optimisers and objectives: a step that fails later on leaves no critic behind that it
/// moved, not even where a loss that is not finite is only seen at its end.
///
/// Of a critic that is only tried (`TriedCritic`) weights and moments need no copy: its step is
/// taken when the step is kept.
class CriticsBefore {
 public:
  CriticsBefore(TrainingState& state, const TrainerOptions& options) {
    for (auto& task : state.tasks) {
      if (!task.branch.adversary) continue;
      task.tries_critic = can_try_critic(state, task, options);
      auto& critic = *task.branch.adversary.critic();
      TensorMap tensors;
      collect_tensors(critic, "", tensors);
      if (task.tries_critic) {
        for (const auto& parameter : critic.named_parameters()) tensors.erase(parameter.key());
      }
      for (auto& [name, tensor] : tensors) tensor = tensor.clone();
      // Copies now: bringing them back must not need memory that a failed step may lack.
      auto restore_moments =
          task.tries_critic ? std::function<void()>{[] {}} : task.critic_updates->remember();
      // Reading an objective's state waits for a device; what it does there keeps itself finite.
      auto objective =
          options.device.is_cpu() ? task.branch.adversary.state() : std::vector<double>{};
      restore_.push_back([&task, tensors = std::move(tensors), restore_moments,
                          objective = std::move(objective), random = task.random] {
        torch::NoGradGuard no_grad;
        for (auto& [name, tensor] : named_tensors(*task.branch.adversary.critic())) {
          const auto copy = tensors.find(name);
          if (copy != tensors.end()) at::Tensor{tensor}.copy_(copy->second);
        }
        restore_moments();
        forget_gradients(task.critic_parameters);
        if (!objective.empty()) task.branch.adversary.load_state(objective);
        task.random = random;
      });
      if (task.tries_critic) tried_.push_back(&task);
    }
  }

  ~CriticsBefore() {
    for (const auto& restore : restore_) restore();
  }
  CriticsBefore(const CriticsBefore&) = delete;
  CriticsBefore& operator=(const CriticsBefore&) = delete;

  /// The step is done: the critics stay where it moved them.
  void keep_step() {
    restore_.clear();
    for (auto* task : tried_) {
      task->critic_updates->step();
      forget_gradients(task->critic_parameters);
    }
  }

 private:
  std::vector<std::function<void()>> restore_;
  std::vector<TaskState*> tried_;
};

}  // namespace limpid::detail
