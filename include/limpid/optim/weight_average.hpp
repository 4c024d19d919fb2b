#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_sub.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limpid {

/// An exponential moving average of weights over the steps of a training, which restores better
/// than the weights of any one step once the learning rate is high or batches are small:
/// average = share * average + (1 - share) * weights, with share = min(kept, (1 + n) / (10 + n))
/// after n updates. The first update copies, so what weights began with has no part in it.
///
/// Floating buffers (the statistics of batch norms) are averaged like parameters, counters copied.
///
/// Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J.
/// Control Optim. 1992; the share that grows is that of TensorFlow's `ExponentialMovingAverage`.
class WeightAverage {
 public:
  /// @param kept     share of the average that stays in each update, once that has grown to it
  /// @param weights  what is averaged, shared
  /// @throws c10::ValueError unless 0 < kept < 1.
  WeightAverage(double kept, std::vector<at::Tensor> weights)
      : kept_(kept), weights_(std::move(weights)) {
    TORCH_CHECK_VALUE(kept > 0 && kept < 1,
                      "WeightAverage: expected a share above 0 and below 1, got ", kept);
    for (const auto& weight : weights_) averages_.push_back(weight.detach().clone());
  }

  /// Takes the weights as they are now into the average.
  void update() {
    const at::NoGradGuard no_grad;
    const auto n = static_cast<double>(updates_);
    const auto fresh = updates_ == 0 ? 1.0 : 1.0 - std::min(kept_, (1 + n) / (10 + n));
    std::vector<at::Tensor> on_device, averages_there;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      if (fresh == 1.0 || !weights_[i].is_floating_point()) {
        averages_[i].copy_(weights_[i]);
      } else if (weights_[i].is_cuda()) {
        on_device.push_back(weights_[i].detach());
        averages_there.push_back(averages_[i]);
      } else {
        averages_[i].lerp_(weights_[i].detach(), fresh);
      }
    }
    if (!on_device.empty()) {  // a few launches in the place of two for each tensor
      at::_foreach_add_(averages_there, at::_foreach_sub(on_device, averages_there), fresh);
    }
    ++updates_;
  }

  /// Puts the averages where the weights are, and these in their place; a second call undoes it.
  void exchange() {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const auto aside = weights_[i].detach().clone();
      weights_[i].copy_(averages_[i]);
      averages_[i].copy_(aside);
    }
  }

  /// In the order of the weights.
  const std::vector<at::Tensor>& averages() const { return averages_; }

  std::int64_t updates() const { return updates_; }

  /// So many updates have made the averages what they are; for an average that comes from a file.
  void set_updates(std::int64_t updates) { updates_ = updates; }

 private:
  double kept_;
  std::vector<at::Tensor> weights_, averages_;
  std::int64_t updates_ = 0;
};

}  // namespace limpid
