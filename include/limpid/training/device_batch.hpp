#pragma once

#include <limpid/core/copied_to.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/datasets/batch.hpp>

#include <c10/core/Device.h>

namespace limpid::detail {

/// A batch on the device that trains, laid out as the network is.
inline Batch on_device(const Batch& batch, c10::Device device,
                       at::MemoryFormat format = at::MemoryFormat::Contiguous) {
  const auto there = [&](const at::Tensor& pictures) {
    return laid_out(copied_to(device, pictures), format);
  };
  return {there(batch.degraded), there(batch.target)};
}

}  // namespace limpid::detail
