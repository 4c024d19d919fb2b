#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace limpid::detail {

/// Who takes some computations of this thread's networks as one operator, because their steps
/// depend on the picture's size: a recorder of operators (`Recorder`).
class PartListener {
 public:
  /// @param name     of what is computed
  /// @param number   its argument beside the map
  /// @param compute  the steps
  virtual at::Tensor part(const char* name, const at::Tensor& map, std::int64_t number,
                          const std::function<at::Tensor()>& compute) = 0;

  /// Of this thread; nullptr where nobody listens.
  static inline thread_local PartListener* current = nullptr;

 protected:
  ~PartListener() = default;
};

}  // namespace limpid::detail
