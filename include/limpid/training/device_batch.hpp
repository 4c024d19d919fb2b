#pragma once

#include <limpid/core/copied_to.hpp>
#include <limpid/datasets/batch.hpp>

#include <c10/core/Device.h>

namespace limpid::detail {

/// A batch on the device that trains.
inline Batch on_device(const Batch& batch, c10::Device device) {
  return {copied_to(device, batch.degraded), copied_to(device, batch.target)};
}

}  // namespace limpid::detail
