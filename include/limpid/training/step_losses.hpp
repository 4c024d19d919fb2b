#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// One term of one task's losses.
struct LossValue {
  std::string task;
  std::string term;  ///< "critic", "content", "adversarial", "total", or a part of the content loss
  double value = 0;
};

namespace detail {

/// The losses of one step, kept on their device and brought over together.
class StepLosses {
 public:
  explicit StepLosses(std::int64_t step) : step_(step) {}

  /// Takes a scalar's value. On the CPU it is checked here, before anything is stepped by it; on
  /// another device by `fetch`, so that a step waits for the device once.
  void add(const std::string& task, const std::string& term, const at::Tensor& loss) {
    pending_.push_back(loss.detach().to(at::kDouble).reshape({}));
    values_.push_back({task, term, 0});
    if (loss.device().is_cpu()) check(values_.back(), pending_.back().item<double>());
  }

  /// Brings all values over in one transfer, and the norm of the generator's gradient with them.
  /// @param gradient_norm  scalar, or undefined where there is no gradient: 0.
  /// @return the norm.
  /// @throws c10::Error if a value or the norm is not finite.
  double fetch(const at::Tensor& gradient_norm) {
    if (gradient_norm.defined()) pending_.push_back(gradient_norm.to(at::kDouble).reshape({}));
    if (pending_.empty()) return 0;
    const auto together = at::stack(pending_).to(at::kCPU);
    const auto* value = together.data_ptr<double>();
    for (auto& loss : values_) {
      loss.value = *value++;
      check(loss, loss.value);
    }
    pending_.clear();
    if (!gradient_norm.defined()) return 0;
    TORCH_CHECK(std::isfinite(*value), "training stopped: step ", step_ + 1,
                ": the gradient of the encoder and decoders has norm ", *value, kStays);
    return *value;
  }

  /// What `fetch` brought.
  const std::vector<LossValue>& values() const { return values_; }

 private:
  static constexpr const char* kStays = "; the last checkpoint is from before this step";

  void check(const LossValue& loss, double value) const {
    TORCH_CHECK(std::isfinite(value), "training stopped: task '", loss.task, "', step ", step_ + 1,
                ": the ", loss.term, " loss is ", value, kStays);
  }

  std::int64_t step_;
  std::vector<at::Tensor> pending_;
  std::vector<LossValue> values_;
};

}  // namespace detail
}  // namespace limpid
