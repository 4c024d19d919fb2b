#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <cstdint>

namespace limpid {

/// Returns its input: stands where a network takes a norm and none is wanted, `PatchGAN<NoNorm>`.
/// `torch::nn::Identity` cannot, because it is not built from a channel count.
class NoNormImpl : public torch::nn::Cloneable<NoNormImpl> {
 public:
  explicit NoNormImpl(std::int64_t /*channels*/) {}

  void reset() override {}

  at::Tensor forward(const at::Tensor& input) { return input; }
};

TORCH_MODULE(NoNorm);

static_assert(ChannelNorm<NoNorm>);

}  // namespace limpid
