#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace limpid::detail {

/// A tensor on a device. To a CUDA card the copy is made from pinned memory, so that it runs beside
/// what the card still has to do.
inline at::Tensor copied_to(c10::Device device, const at::Tensor& tensor) {
  if (!device.is_cuda() || tensor.is_cuda()) return tensor.to(device);
  return tensor.pin_memory().to(tensor.options().device(device), /*non_blocking=*/true);
}

}  // namespace limpid::detail
