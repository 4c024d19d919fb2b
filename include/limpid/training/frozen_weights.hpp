#pragma once

#include <limpid/core/modules.hpp>

#include <vector>

namespace limpid::detail {

/// While it lives, a module's weights collect no gradient; gradients still flow through it.
class FrozenWeights {
 public:
  explicit FrozenWeights(torch::nn::Module& module) {
    for (auto& parameter : module.parameters()) {
      if (!parameter.requires_grad()) continue;
      parameter.requires_grad_(false);
      frozen_.push_back(parameter);
    }
  }
  ~FrozenWeights() {
    for (auto& parameter : frozen_) parameter.requires_grad_(true);
  }
  FrozenWeights(const FrozenWeights&) = delete;
  FrozenWeights& operator=(const FrozenWeights&) = delete;

 private:
  std::vector<at::Tensor> frozen_;
};

}  // namespace limpid::detail
