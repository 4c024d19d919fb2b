#pragma once

#include <torch/nn/module.h>

namespace limpid::detail {

/// Evaluation mode while it lives: no dropout, running statistics. A model that was in training is
/// so again afterwards.
class EvaluationScope {
 public:
  explicit EvaluationScope(torch::nn::Module& module)
      : module_(module), was_training_(module.is_training()) {
    if (was_training_) module_.eval();
  }
  ~EvaluationScope() {
    if (was_training_) module_.train();
  }
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_training_;
};

}  // namespace limpid::detail
