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
/// call; in a second one those that keep their digits where gradients are sent in fewer. Of one
/// process nothing is asked, and nothing changes.
class GradientExchange {
 public:
  /// @param buffer  kept by the caller from one exchange to the next, to save its allocation
  /// @param type    in which gradients are sent and added up
  GradientExchange(const Communicator& communicator, at::Tensor& buffer,
                   at::ScalarType type = at::kFloat)
      : communicator_(communicator), buffer_(buffer), type_(type) {}

  /// Takes part in the mean and is overwritten by it.
  void add(const at::Tensor& tensor) { add(tensor, tensor.numel()); }

  /// The same of one that may be undefined: it has its place all the same, for buffers of different
  /// lengths would end the processes.
  void add(const at::Tensor& tensor, std::int64_t size) {
    if (!communicator_.is_alone()) parts_.push_back({tensor, size});
  }

  /// A tensor whose mean keeps the digits of a float, whatever gradients are sent in.
  void add_exactly(const at::Tensor& tensor) {
    if (communicator_.is_alone()) return;
    (type_ == at::kFloat ? parts_ : exact_parts_).push_back({tensor, tensor.numel()});
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
    if (type_ == at::kFloat) {
      make_means(parts_, std::move(sums), buffer_, type_);
    } else {
      make_means(parts_, {}, buffer_, type_);
      at::Tensor small;
      if (!exact_parts_.empty() || sums.defined()) {
        make_means(exact_parts_, std::move(sums), small, at::kFloat);
      }
    }
    parts_.clear();
    exact_parts_.clear();
  }

 private:
  struct Part {
    at::Tensor tensor;
    std::int64_t size;
  };

  void make_means(const std::vector<Part>& parts, at::Tensor sums, at::Tensor& buffer,
                  at::ScalarType type) const {
    const auto device = device_of(parts);
    std::int64_t size = 0;
    for (const auto& part : parts) size += part.size;
    const auto extra = sums.defined() ? sums.numel() : 0;
    if (!buffer.defined() || buffer.numel() < size + extra || buffer.device() != device) {
      buffer = at::Tensor{};  // its memory first
      buffer = at::empty({size + extra}, at::TensorOptions().dtype(type).device(device));
    }
    const auto means = buffer.narrow(0, 0, size);
    each_place(parts, means, [](const at::Tensor& place, const Part& part) {
      if (part.tensor.defined()) {
        place.copy_(part.tensor.reshape({-1}));
      } else {
        at::Tensor{place}.zero_();
      }
    });
    const auto tail = buffer.narrow(0, size, extra);
    if (extra > 0) tail.copy_(sums);
    communicator_.sum(buffer.narrow(0, 0, size + extra));
    if (extra > 0) sums.copy_(tail);
    at::Tensor{means}.div_(static_cast<double>(communicator_.size()));
    each_place(parts, means, [](const at::Tensor& place, const Part& part) {
      if (part.tensor.defined()) part.tensor.copy_(place.view(part.tensor.sizes()));
    });
  }

  static c10::Device device_of(const std::vector<Part>& parts) {
    for (const auto& part : parts) {
      if (part.tensor.defined()) return part.tensor.device();
    }
    return at::kCPU;
  }

  template <class F>
  static void each_place(const std::vector<Part>& parts, const at::Tensor& means, F f) {
    std::int64_t at = 0;
    for (const auto& part : parts) {
      f(means.narrow(0, at, part.size), part);
      at += part.size;
    }
  }

  const Communicator& communicator_;
  at::Tensor& buffer_;
  at::ScalarType type_;
  std::vector<Part> parts_, exact_parts_;
};

}  // namespace limpid::detail
