#pragma once

#include <limpid/core/batch_share.hpp>
#include <limpid/parallel/communicator.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace limpid {

/// The mean of a tensor over the processes, with the gradient of the mean. Where a loss is averaged
/// over the processes, as gradients are, the gradient of what it takes from here is the mean of
/// their gradients, so its backward is collective, too.
inline at::Tensor shared_mean(const at::Tensor& value, const Communicator& communicator) {
  if (communicator.is_alone()) return value;
  const auto size = static_cast<double>(communicator.size());
  auto mean = value.detach().clone(at::MemoryFormat::Contiguous);
  communicator.sum(mean);
  mean.div_(size);
  if (!value.requires_grad()) return mean;
  const auto result = (value - value.detach()) + mean;  // exactly the mean, with the value's graph
  result.register_hook([communicator, size](const at::Tensor& gradient) {
    auto shared = gradient.detach().clone(at::MemoryFormat::Contiguous);
    communicator.sum(shared);
    return shared.div_(size);
  });
  return result;
}

/// The part of each batch that this process has.
inline BatchShare share_of(const Communicator& communicator) {
  return {communicator.rank(), communicator.size(),
          [communicator](const at::Tensor& value) { return shared_mean(value, communicator); }};
}

}  // namespace limpid
