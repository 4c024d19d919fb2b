#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/core/tiling.hpp>
#include <limpid/kernels/convolution_switch.hpp>

#include <c10/core/Device.h>

#include <cstdint>

namespace limpid {

/// How a `Restorer` runs its model.
struct RestorerOptions {
  Tiling tiling{};  ///< large pictures in tiles, unless it says otherwise
  at::Device device = at::kCPU;
  Precision precision = Precision::float32;
  Convolution convolution = Convolution::exact;  ///< CPU: how those in float32 are computed
  at::MemoryFormat memory_format = at::MemoryFormat::Contiguous;  ///< how pictures and kernels lie
  int ensemble = 1;          ///< the mean over so many ways to lay the picture (`Turn`): 1, 2, 4, 8
  double strength = 1;       ///< 0 ... 1: how much of what the network changes; 0: the input itself
  std::uint64_t memory = 0;  ///< bytes that restoring may take; 0: what is free
};

}  // namespace limpid
