#pragma once

#include <limpid/core/compiled.hpp>

#include <c10/core/Allocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/core/machine_memory.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid::detail {

/// While it lives, this thread may hold only so many tensors, of so many bytes; the one that is too
/// many throws.
///
/// Options say how large a network is, and a network is built before anything can be compared: 300
/// bytes of a file, or a slip on a command line, that ask for a hundred million blocks would fill
/// the memory first. LibTorch reports each allocation to whoever asks, per thread; this counts
/// them. It knows no network, so it holds for networks of a user's own, too.
class ConstructionLimit {
 public:
  /// For networks that a file describes.
  /// @param tensors  of the file, and their bytes; twice as many are allowed, and a few more, for
  ///                 what a network computes while it is built
  /// @param source   how the error begins
  ConstructionLimit(std::size_t tensors, std::size_t bytes, const std::string& source)
      : ConstructionLimit(2 * tensors + 256, 2 * bytes + (std::size_t{16} << 20),
                          source + ": its options describe a network larger than its " +
                              std::to_string(tensors) + " tensors of " + std::to_string(bytes) +
                              " bytes",
                          Exactly{}) {}

  /// For networks whose options somebody wrote: at most `kLargestNetwork`, and no more than a
  /// quarter of `machine_memory()`, since training holds each weight four times: itself, its
  /// gradient and Adam's two moments.
  explicit ConstructionLimit(const std::string& source)
      : ConstructionLimit(kMostTensors, largest_network(),
                          source + ": its options describe a network of more than " +
                              std::to_string(kMostTensors) + " tensors or " +
                              std::to_string(largest_network() >> 20) + " MiB",
                          Exactly{}) {}

  /// Far more than the networks of papers have.
  static constexpr std::size_t kMostTensors = 20'000, kLargestNetwork = std::size_t{4} << 30;

  static std::size_t largest_network();

 private:
  struct Exactly {};

  ConstructionLimit(std::size_t most_tensors, std::size_t most_bytes, std::string text, Exactly)
      : guard_(c10::DebugInfoKind::PROFILER_STATE,
               std::make_shared<Counter>(most_tensors, most_bytes, std::move(text))) {}

  class Counter : public c10::MemoryReportingInfoBase {
   public:
    Counter(std::size_t most_tensors, std::size_t most_bytes, std::string text)
        : most_tensors_(static_cast<std::int64_t>(most_tensors)),
          most_bytes_(static_cast<std::int64_t>(most_bytes)),
          text_(std::move(text)) {}

    // One of these two is LibTorch's: the types of the totals changed with version 2.1.
    void reportMemoryUsage(void* memory, std::int64_t bytes, std::int64_t, std::int64_t,
                           c10::Device device);
    void reportMemoryUsage(void* memory, std::int64_t bytes, std::size_t, std::size_t,
                           c10::Device device);
    bool memoryProfilingEnabled() const { return true; }

   private:
    void count(void* memory, std::int64_t bytes, c10::Device device);

    std::int64_t most_tensors_, most_bytes_;
    std::int64_t tensors_ = 0, bytes_ = 0;
    std::string text_;
  };

  c10::DebugInfoGuard guard_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::size_t ConstructionLimit::largest_network() {
  return static_cast<std::size_t>(std::min<std::uint64_t>(kLargestNetwork, machine_memory() / 4));
}

LIMPID_INLINE void ConstructionLimit::Counter::reportMemoryUsage(void* memory, std::int64_t bytes,
                                                                 std::int64_t, std::int64_t,
                                                                 c10::Device device) {
  count(memory, bytes, device);
}

LIMPID_INLINE void ConstructionLimit::Counter::reportMemoryUsage(void* memory, std::int64_t bytes,
                                                                 std::size_t, std::size_t,
                                                                 c10::Device device) {
  count(memory, bytes, device);
}

LIMPID_INLINE void ConstructionLimit::Counter::count(void* memory, std::int64_t bytes,
                                                     c10::Device device) {
  if (!device.is_cpu()) return;
  tensors_ += bytes > 0 ? 1 : -1;
  bytes_ += bytes;
  if (bytes <= 0 || (tensors_ <= most_tensors_ && bytes_ <= most_bytes_)) return;
  c10::free_cpu(memory);  // the allocator has not handed it out yet
  --tensors_;
  bytes_ -= bytes;
  limpid::fail(text_);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
