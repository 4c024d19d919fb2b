#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace limpid {

/// Which part of a batch this process has, where several train on one together; their parts are of
/// equal size and follow each other by rank.
struct BatchShare {
  std::int64_t rank = 0;
  std::int64_t size = 1;

  /// The mean of a tensor over the processes. As part of a loss it has the gradient that it would
  /// have in one process with the whole batch. All processes call it, in the same order.
  std::function<at::Tensor(const at::Tensor&)> mean{};
};

}  // namespace limpid
