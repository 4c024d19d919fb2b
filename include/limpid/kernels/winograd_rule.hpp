#pragma once

#include <limpid/kernels/winograd.hpp>

#include <cstdint>

namespace limpid::detail {

/// Whether this build has the fast convolution and this machine the instructions that it needs,
/// AVX-512.
inline bool machine_has_winograd() {
#if LIMPID_WITH_ONEDNN
  static const bool has = [] {
    const auto machine = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
    return (machine & needed) == needed;
  }();
  return has;
#else
  return false;
#endif
}

/// Whether Winograd's convolution is faster than LibTorch's for this shape, forward and backward,
/// as measured (docs/kernels.md). Each pass transforms the weights once, which takes some tens of
/// tiles to pay; channels are filled up to multiples of 16, which must not be most of the work.
inline bool winograd_pays(const WinogradShape& shape, bool machine_has = machine_has_winograd()) {
  const auto filled = [](std::int64_t channels) { return (channels + 15) / 16 * 16; };
  return machine_has && shape.in >= 16 && shape.out >= 16 &&
         2 * filled(shape.in) * filled(shape.out) <= 3 * shape.in * shape.out &&
         winograd_tiles(WinogradPass::forward, shape).count() >= 32;
}

}  // namespace limpid::detail
