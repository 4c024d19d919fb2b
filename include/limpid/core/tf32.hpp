#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/Context.h>
#include <c10/core/Device.h>

namespace limpid {

/// Whether convolutions and matrix products in float32 may round their factors to TF32, 10 bits of
/// mantissa, on CUDA cards from Ampere on; LibTorch's convolutions do so unless told. Holds for the
/// whole process while the object lives; does nothing for other devices.
class TF32Scope {
 public:
  TF32Scope(bool allowed, c10::Device device);
  ~TF32Scope() {
    if (acts_) set(convolutions_, products_);
  }
  TF32Scope(const TF32Scope&) = delete;
  TF32Scope& operator=(const TF32Scope&) = delete;

 private:
  static void set(bool convolutions, bool products);

  bool acts_;
  bool convolutions_ = false, products_ = false;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE TF32Scope::TF32Scope(bool allowed, c10::Device device) : acts_(device.is_cuda()) {
  if (!acts_) return;
  convolutions_ = at::globalContext().allowTF32CuDNN();
  products_ = at::globalContext().allowTF32CuBLAS();
  set(allowed, allowed);
}

LIMPID_INLINE void TF32Scope::set(bool convolutions, bool products) {
  at::globalContext().setAllowTF32CuDNN(convolutions);
  at::globalContext().setAllowTF32CuBLAS(products);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
