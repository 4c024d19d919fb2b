#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>

namespace limpid::detail {

/// The one place where a training step waits for its device: it brings numbers to the CPU, and
/// counts how often that happened in this thread.
class HostReads {
 public:
  static at::Tensor bring(const at::Tensor& numbers);

  static std::int64_t count();

 private:
  static std::int64_t& counter();
};

/// While it lives, this thread's steps on the CPU go as on a card: losses are read together at the
/// end, and the next batches are got meanwhile. For tests of what only a card would show.
class AsOnACard {
 public:
  AsOnACard();
  ~AsOnACard() { wanted() = before_; }
  AsOnACard(const AsOnACard&) = delete;
  AsOnACard& operator=(const AsOnACard&) = delete;

  /// Whether numbers on `device` are there only once it has computed them.
  static bool holds(c10::Device device);

 private:
  static bool& wanted();

  bool before_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor HostReads::bring(const at::Tensor& numbers) {
  ++counter();
  return numbers.to(at::kCPU);
}

LIMPID_INLINE std::int64_t HostReads::count() { return counter(); }

LIMPID_INLINE std::int64_t& HostReads::counter() {
  thread_local std::int64_t count = 0;
  return count;
}

LIMPID_INLINE AsOnACard::AsOnACard() : before_(wanted()) { wanted() = true; }

LIMPID_INLINE bool AsOnACard::holds(c10::Device device) { return !device.is_cpu() || wanted(); }

LIMPID_INLINE bool& AsOnACard::wanted() {
  thread_local bool wanted = false;
  return wanted;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
