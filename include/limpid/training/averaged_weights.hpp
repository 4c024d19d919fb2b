#pragma once

#include <limpid/model/state_dict.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

namespace limpid::detail {

/// What the average of a model's weights is taken of: its parameters and buffers.
inline std::vector<at::Tensor> averaged_of(const AnyModel& model) {
  std::vector<at::Tensor> weights;
  for (const auto& [name, tensor] : named_tensors(*model.module)) weights.push_back(tensor);
  return weights;
}

/// A model's tensors for use, under the names of its file: the averages, where there are any.
inline TensorMap tensors_for_use(const TrainingState& state) {
  auto tensors = state.model.tensors();
  if (!state.average) return tensors;
  std::size_t i = 0;
  for (const auto& [name, tensor] : named_tensors(*state.model.module)) {
    tensors[name] = state.average->averages()[i++];
  }
  return tensors;
}

/// While it lives, the model has its averaged weights, where there are any.
class AveragedWeights {
 public:
  explicit AveragedWeights(TrainingState& state) : state_(state) { exchange(); }
  ~AveragedWeights() { exchange(); }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  void exchange() {
    if (state_.average) state_.average->exchange();
  }

  TrainingState& state_;
};

}  // namespace limpid::detail
