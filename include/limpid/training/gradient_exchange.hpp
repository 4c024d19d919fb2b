#pragma once

#include <limpid/optim/named_parameters.hpp>
#include <limpid/parallel/communicator.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Tensors of which several processes have one each, and want the means: all in one buffer, by one
/// call. Of one process nothing is asked, and nothing changes.
class GradientExchange {
 public:
  /// @param buffer  kept by the caller from one exchange to the next, to save its allocation
  GradientExchange(const Communicator& communicator, at::Tensor& buffer)
      : communicator_(communicator), buffer_(buffer) {}

  /// Takes part in the mean and is overwritten by it.
  void add(const at::Tensor& tensor) { add(tensor, tensor.numel()); }

  /// The same of one that may be undefined: it has its place all the same, for buffers of different
  /// lengths would end the processes.
  void add(const at::Tensor& tensor, std::int64_t size) {
    if (!communicator_.is_alone()) parts_.push_back({tensor, size});
  }

  /// The gradients of parameters that want one.
  void add_gradients(const NamedParameters& parameters) {
    if (communicator_.is_alone()) return;
    for (const auto& [name, parameter] : parameters) {
      if (parameter.requires_grad()) add(parameter.grad(), parameter.numel());
    }
  }

  /// Exchanges what was added.
  /// @param sums  floats on the CPU that come back as sums, not means; may be empty
  void run(at::Tensor sums = {}) {
    if (communicator_.is_alone()) return;
    const at::NoGradGuard no_grad;
    const auto device = device_of_parts();
    std::int64_t size = 0;
    for (const auto& part : parts_) size += part.size;
    const auto extra = sums.defined() ? sums.numel() : 0;
    if (!buffer_.defined() || buffer_.numel() < size + extra || buffer_.device() != device) {
      buffer_ = at::empty({size + extra}, at::TensorOptions().dtype(at::kFloat).device(device));
    }
    const auto means = buffer_.narrow(0, 0, size);
    each_place(means, [](const at::Tensor& place, const Part& part) {
      if (part.tensor.defined()) {
        place.copy_(part.tensor.reshape({-1}));
      } else {
        at::Tensor{place}.zero_();
      }
    });
    const auto tail = buffer_.narrow(0, size, extra);
    if (extra > 0) tail.copy_(sums);
    communicator_.sum(buffer_.narrow(0, 0, size + extra));
    if (extra > 0) sums.copy_(tail);
    at::Tensor{means}.div_(static_cast<double>(communicator_.size()));
    each_place(means, [](const at::Tensor& place, const Part& part) {
      if (part.tensor.defined()) part.tensor.copy_(place.view(part.tensor.sizes()));
    });
    parts_.clear();
  }

 private:
  struct Part {
    at::Tensor tensor;
    std::int64_t size;
  };

  c10::Device device_of_parts() const {
    for (const auto& part : parts_) {
      if (part.tensor.defined()) return part.tensor.device();
    }
    return at::kCPU;
  }

  template <class F>
  void each_place(const at::Tensor& means, F f) const {
    std::int64_t at = 0;
    for (const auto& part : parts_) {
      f(means.narrow(0, at, part.size), part);
      at += part.size;
    }
  }

  const Communicator& communicator_;
  at::Tensor& buffer_;
  std::vector<Part> parts_;
};

}  // namespace limpid::detail
