#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>
#include <c10/util/Exception.h>

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

  /// All values so far. @throws c10::Error if one is not finite.
  const std::vector<LossValue>& fetch() {
    if (pending_.empty()) return values_;
    const auto together = at::stack(pending_).to(at::kCPU);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      values_[i].value = together.data_ptr<double>()[i];
      check(values_[i], values_[i].value);
    }
    pending_.clear();
    return values_;
  }

 private:
  void check(const LossValue& loss, double value) const {
    TORCH_CHECK(std::isfinite(value), "training stopped: task '", loss.task, "', step ", step_ + 1,
                ": the ", loss.term, " loss is ", value,
                "; the last checkpoint is from before this step");
  }

  std::int64_t step_;
  std::vector<at::Tensor> pending_;
  std::vector<LossValue> values_;
};

}  // namespace detail
}  // namespace limpid
