#pragma once

#include <ATen/Context.h>
#include <c10/core/Device.h>

namespace limpid {

/// Whether cuDNN, before a convolution of a shape that it has not seen, tries its algorithms and
/// keeps the fastest: worth its time where shapes stay the same, as crops do. Holds for the whole
/// process while the object lives; does nothing for other devices.
class CudnnBenchmarkScope {
 public:
  CudnnBenchmarkScope(bool on, c10::Device device) : acts_(device.is_cuda()) {
    if (!acts_) return;
    before_ = at::globalContext().benchmarkCuDNN();
    at::globalContext().setBenchmarkCuDNN(on);
  }
  ~CudnnBenchmarkScope() {
    if (acts_) at::globalContext().setBenchmarkCuDNN(before_);
  }
  CudnnBenchmarkScope(const CudnnBenchmarkScope&) = delete;
  CudnnBenchmarkScope& operator=(const CudnnBenchmarkScope&) = delete;

 private:
  bool acts_;
  bool before_ = false;
};

}  // namespace limpid
