#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Parameters under the names that a checkpoint uses.
using NamedParameters = std::vector<std::pair<std::string, at::Tensor>>;

/// Forgets all gradients: the next backward writes instead of adding.
inline void forget_gradients(const NamedParameters& parameters) {
  for (const auto& [name, parameter] : parameters) parameter.mutable_grad() = at::Tensor{};
}

}  // namespace limpid::detail
