#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/local_mean.hpp>

#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Scales and shifts the channels of a map as a mixture of learned prompts says. What the map's
/// means are like decides on the mixture: one network then treats weak and strong damage, or one
/// kind and another, in different ways. Starts as the identity, to the bit.
///
/// Source: after Potlapalli et al., "PromptIR: Prompting for All-in-One Image Restoration", NeurIPS
/// 2023, sec. 3.2 (a mixture of prompts, weighed by a softmax over the map's means).
/// Differs: a prompt is a gain and an offset for each channel, as in Perez et al., "FiLM", AAAI
/// 2018, instead of a map that is resized, joined and sent through a block of its own.
class PromptGateImpl : public torch::nn::Cloneable<PromptGateImpl> {
 public:
  /// @param prompts  how many there are.
  /// @throws c10::ValueError if `channels` or `prompts` is below 1.
  explicit PromptGateImpl(std::int64_t channels, std::int64_t prompts = 5);

  void reset() override;

  /// How much each prompt counts for a map: (N, prompts), of sum 1.
  at::Tensor weights(const at::Tensor& map);

  /// @param map  (N, channels, H, W).
  /// @return     the same shape.
  at::Tensor forward(const at::Tensor& map);

 private:
  std::int64_t channels_;
  std::int64_t count_;
  LocalMeanPool pool_{nullptr};
  torch::nn::Linear mixture_{nullptr};
  at::Tensor prompts_;
};

TORCH_MODULE(PromptGate);

static_assert(ImageModule<PromptGate>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE PromptGateImpl::PromptGateImpl(std::int64_t channels, std::int64_t prompts)
    : channels_(channels), count_(prompts) {
  detail::check_at_least("PromptGate: channels", channels, 1);
  detail::check_at_least("PromptGate: prompts", prompts, 1);
  reset();
}

LIMPID_INLINE void PromptGateImpl::reset() {
  pool_ = register_module("pool", LocalMeanPool(1));
  mixture_ = register_module("mixture", torch::nn::Linear(channels_, count_));
  prompts_ = register_parameter("prompts", at::zeros({count_, 2 * channels_}));
}

LIMPID_INLINE at::Tensor PromptGateImpl::weights(const at::Tensor& map) {
  return mixture_->forward(pool_->forward(map).flatten(1)).softmax(1);
}

LIMPID_INLINE at::Tensor PromptGateImpl::forward(const at::Tensor& map) {
  detail::check_image("PromptGate", map, channels_);
  const auto prompt = at::matmul(weights(map), prompts_).view({-1, 2 * channels_, 1, 1});
  return map * (1 + prompt.narrow(1, 0, channels_)) + prompt.narrow(1, channels_, channels_);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
