#pragma once

#include <limpid/model/state_dict.hpp>

#include <torch/optim.h>

#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Parameters under the names that a checkpoint uses.
using NamedParameters = std::vector<std::pair<std::string, at::Tensor>>;

/// The key of a parameter in an optimiser's state: a string before LibTorch 2.1, then a pointer.
template <class Key>
Key optimizer_key(const at::Tensor& parameter) {
  if constexpr (std::is_same_v<Key, std::string>) {
    std::ostringstream text;
    text << parameter.unsafeGetTensorImpl();
    return text.str();
  } else {
    return parameter.unsafeGetTensorImpl();
  }
}

template <class Optimizer>
auto find_optimizer_state(Optimizer& optimizer, const at::Tensor& parameter) {
  auto& state = optimizer.state();
  using Key = typename std::remove_cvref_t<decltype(state)>::key_type;
  return state.find(optimizer_key<Key>(parameter));
}

/// Adds the moments and step counts of Adam as PREFIX + parameter + .exp_avg, .exp_avg_sq, .step.
/// Parameters that never had a gradient have none.
inline void collect_adam(torch::optim::Adam& adam, const NamedParameters& parameters,
                         const std::string& prefix, TensorMap& tensors) {
  for (const auto& [name, parameter] : parameters) {
    const auto found = find_optimizer_state(adam, parameter);
    if (found == adam.state().end()) continue;
    const auto& state = static_cast<const torch::optim::AdamParamState&>(*found->second);
    tensors[prefix + name + ".exp_avg"] = state.exp_avg();
    tensors[prefix + name + ".exp_avg_sq"] = state.exp_avg_sq();
    tensors[prefix + name + ".step"] = at::full({1}, state.step(), at::kLong);
  }
}

/// Gives Adam the state that `collect_adam` took. Errors begin with `source`.
inline void restore_adam(torch::optim::Adam& adam, const NamedParameters& parameters,
                         const std::string& prefix, const TensorMap& tensors,
                         const std::string& source) {
  for (const auto& [name, parameter] : parameters) {
    const auto step = tensors.find(prefix + name + ".step");
    if (step == tensors.end()) continue;
    const auto moment = [&, key = prefix + name](const char* which) {
      const auto found = tensors.find(key + which);
      TORCH_CHECK(found != tensors.end() && found->second.sizes() == parameter.sizes(), source,
                  ": expected '", key, which, "' of shape ", parameter.sizes());
      return found->second.to(parameter.options()).clone();
    };
    auto state = std::make_unique<torch::optim::AdamParamState>();
    state->step(step->second.item<std::int64_t>());
    state->exp_avg(moment(".exp_avg"));
    state->exp_avg_sq(moment(".exp_avg_sq"));
    using Key = typename std::remove_cvref_t<decltype(adam.state())>::key_type;
    adam.state()[optimizer_key<Key>(parameter)] = std::move(state);
  }
}

/// Forgets all gradients: the next backward writes instead of adding.
inline void forget_gradients(const NamedParameters& parameters) {
  for (const auto& [name, parameter] : parameters) parameter.mutable_grad() = at::Tensor{};
}

inline void set_rate(torch::optim::Adam& adam, double rate) {
  for (auto& group : adam.param_groups()) {
    static_cast<torch::optim::AdamOptions&>(group.options()).lr(rate);
  }
}

inline std::vector<at::Tensor> tensors_of(const NamedParameters& parameters) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, parameter] : parameters) tensors.push_back(parameter);
  return tensors;
}

}  // namespace limpid::detail
