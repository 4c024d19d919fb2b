#pragma once

#include <limpid/model/state_dict.hpp>

#include <torch/optim.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
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

/// Checks the state that `collect_adam` took. Errors begin with `source`.
/// @return what gives it to Adam, in the place of whatever Adam has.
inline std::function<void()> load_adam(torch::optim::Adam& adam, const NamedParameters& parameters,
                                       const std::string& prefix, const TensorMap& tensors,
                                       const std::string& source) {
  using Moments = std::unique_ptr<torch::optim::AdamParamState>;
  auto loaded = std::make_shared<std::vector<std::pair<at::Tensor, Moments>>>();
  for (const auto& [name, parameter] : parameters) {
    const auto step = tensors.find(prefix + name + ".step");
    if (step == tensors.end()) continue;
    TORCH_CHECK(step->second.numel() == 1 && step->second.scalar_type() == at::kLong, source,
                ": expected '", step->first, "' to be one integer");
    const auto moment = [&, name = prefix + name, like = parameter](const char* which) {
      const auto found = tensors.find(name + which);
      TORCH_CHECK(found != tensors.end() && found->second.sizes() == like.sizes(), source,
                  ": expected '", name, which, "' of shape ", like.sizes());
      return found->second.to(like.options()).clone();
    };
    auto state = std::make_unique<torch::optim::AdamParamState>();
    state->step(step->second.item<std::int64_t>());
    state->exp_avg(moment(".exp_avg"));
    state->exp_avg_sq(moment(".exp_avg_sq"));
    loaded->emplace_back(parameter, std::move(state));
  }
  return [&adam, loaded] {
    using Key = typename std::remove_cvref_t<decltype(adam.state())>::key_type;
    adam.state().clear();
    for (auto& [parameter, state] : *loaded) {
      adam.state()[optimizer_key<Key>(parameter)] = std::move(state);
    }
  };
}

/// Gives Adam the state that `collect_adam` took. Errors begin with `source`.
inline void restore_adam(torch::optim::Adam& adam, const NamedParameters& parameters,
                         const std::string& prefix, const TensorMap& tensors,
                         const std::string& source) {
  load_adam(adam, parameters, prefix, tensors, source)();
}

/// Forgets all gradients: the next backward writes instead of adding.
inline void forget_gradients(const NamedParameters& parameters) {
  for (const auto& [name, parameter] : parameters) parameter.mutable_grad() = at::Tensor{};
}

inline std::vector<at::Tensor> tensors_of(const NamedParameters& parameters) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, parameter] : parameters) tensors.push_back(parameter);
  return tensors;
}

inline std::unique_ptr<torch::optim::Adam> make_adam(const NamedParameters& parameters, double rate,
                                                     double beta1, double beta2) {
  return std::make_unique<torch::optim::Adam>(
      tensors_of(parameters), torch::optim::AdamOptions(rate).betas(std::make_tuple(beta1, beta2)));
}

inline void set_rate(torch::optim::Adam& adam, double rate) {
  for (auto& group : adam.param_groups()) {
    static_cast<torch::optim::AdamOptions&>(group.options()).lr(rate);
  }
}

}  // namespace limpid::detail
