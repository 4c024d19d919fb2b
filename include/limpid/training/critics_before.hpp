#pragma once

#include <limpid/core/random.hpp>
#include <limpid/model/state_dict.hpp>
#include <limpid/training/training_state.hpp>

#include <torch/nn.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// The critics as they were before a training step. Unless the step is kept they come back, with
/// their optimisers and objectives: a step that fails later on leaves no critic behind that it
/// moved, not even where a loss that is not finite is only seen at its end.
class CriticsBefore {
 public:
  CriticsBefore(TrainingState& state, c10::Device device) {
    for (auto& task : state.tasks) {
      if (!task.branch.adversary) continue;
      TensorMap weights;
      collect_tensors(*task.branch.adversary.critic(), "", weights);
      for (auto& [name, tensor] : weights) tensor = tensor.clone();
      // Copies now: bringing them back must not need memory that a failed step may lack.
      auto restore_moments = task.critic_updates->remember();
      // Reading an objective's state waits for a device; what it does there keeps itself finite.
      auto objective = device.is_cpu() ? task.branch.adversary.state() : std::vector<double>{};
      restore_.push_back([&task, weights = std::move(weights), restore_moments,
                          objective = std::move(objective), random = task.random] {
        torch::NoGradGuard no_grad;
        for (auto& [name, tensor] : named_tensors(*task.branch.adversary.critic())) {
          at::Tensor{tensor}.copy_(weights.at(name));
        }
        restore_moments();
        forget_gradients(task.critic_parameters);
        if (!objective.empty()) task.branch.adversary.load_state(objective);
        task.random = random;
      });
    }
  }

  ~CriticsBefore() {
    for (const auto& restore : restore_) restore();
  }
  CriticsBefore(const CriticsBefore&) = delete;
  CriticsBefore& operator=(const CriticsBefore&) = delete;

  /// The step is done: the critics stay where it moved them.
  void keep_step() { restore_.clear(); }

 private:
  std::vector<std::function<void()>> restore_;
};

}  // namespace limpid::detail
