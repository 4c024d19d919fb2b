#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>

namespace limpid::detail {

/// The one place where a training step waits for its device: it brings numbers to the CPU, and
/// counts how often that happened in this thread.
class HostReads {
 public:
  static at::Tensor bring(const at::Tensor& numbers) {
    ++counter();
    return numbers.to(at::kCPU);
  }

  static std::int64_t count() { return counter(); }

 private:
  static std::int64_t& counter() {
    thread_local std::int64_t count = 0;
    return count;
  }
};

/// While it lives, this thread's steps on the CPU go as on a card: losses are read together at the
/// end, and the next batches are got meanwhile. For tests of what only a card would show.
class AsOnACard {
 public:
  AsOnACard() : before_(wanted()) { wanted() = true; }
  ~AsOnACard() { wanted() = before_; }
  AsOnACard(const AsOnACard&) = delete;
  AsOnACard& operator=(const AsOnACard&) = delete;

  /// Whether numbers on `device` are there only once it has computed them.
  static bool holds(c10::Device device) { return !device.is_cpu() || wanted(); }

 private:
  static bool& wanted() {
    thread_local bool wanted = false;
    return wanted;
  }

  bool before_;
};

}  // namespace limpid::detail
