#pragma once

#include <limpid/datasets/loader.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace limpid::detail {

/// A batch on the device that trains. To a CUDA card the copy is made from pinned memory, so that
/// it runs beside what the card still has to do.
inline Batch on_device(const Batch& batch, c10::Device device) {
  const auto copy = [&](const at::Tensor& images) {
    if (!device.is_cuda() || images.is_cuda()) return images.to(device);
    return images.pin_memory().to(images.options().device(device), /*non_blocking=*/true);
  };
  return {copy(batch.degraded), copy(batch.target)};
}

}  // namespace limpid::detail
