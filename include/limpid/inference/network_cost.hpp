#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/whole_maps.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/field_of_view.hpp>

#include <algorithm>
#endif

namespace limpid {

/// What restoring with a network costs, found by running it on small pictures.
struct NetworkCost {
  double bytes_per_pixel = 0;  ///< of tensors that are alive at the same time
  std::size_t whole_maps = 0;  ///< layers that look at the whole picture
};

namespace detail {

/// While it lives, counts the bytes of this thread's new tensors, and the most there were at a
/// time.
class PeakMemory {
 public:
  PeakMemory() : PeakMemory(std::make_shared<Counter>()) {}

  std::int64_t bytes() const { return counter_->peak; }

 private:
  class Counter : public c10::MemoryReportingInfoBase {
   public:
    // One of these two is LibTorch's: the types of the totals changed with version 2.1.
    void reportMemoryUsage(void*, std::int64_t bytes, std::int64_t, std::int64_t, c10::Device);
    void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device);
    bool memoryProfilingEnabled() const { return true; }

    std::int64_t peak = 0;

   private:
    void count(std::int64_t bytes);
    std::int64_t bytes_ = 0;
  };

  explicit PeakMemory(std::shared_ptr<Counter> counter)
      : counter_(counter), guard_(c10::DebugInfoKind::PROFILER_STATE, std::move(counter)) {}

  std::shared_ptr<Counter> counter_;
  c10::DebugInfoGuard guard_;
};

/// Runs a network on two small pictures: what the larger one takes beyond the other is what pixels
/// cost. What any picture costs, scratch space of convolutions for one, is not.
/// @param run  restores a picture of this side
LIMPID_INLINE NetworkCost measure_cost(const std::function<void(std::int64_t side)>& run,
                                       const ImagePadding& padding);

/// Costs by the task's name, each measured once. Copies share what they know; any thread may ask.
class KnownCosts {
 public:
  template <class Measure>
  NetworkCost of(const std::string& task, Measure measure) const {
    const std::lock_guard lock{known_->mutex};
    auto found = known_->costs.find(task);
    if (found == known_->costs.end()) found = known_->costs.emplace(task, measure()).first;
    return found->second;
  }

 private:
  struct Known {
    std::mutex mutex;
    std::map<std::string, NetworkCost> costs;
  };
  std::shared_ptr<Known> known_ = std::make_shared<Known>();
};

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void PeakMemory::Counter::reportMemoryUsage(void*, std::int64_t bytes, std::int64_t,
                                                          std::int64_t, c10::Device) {
  count(bytes);
}

LIMPID_INLINE void PeakMemory::Counter::reportMemoryUsage(void*, std::int64_t bytes, std::size_t,
                                                          std::size_t, c10::Device) {
  count(bytes);
}

LIMPID_INLINE void PeakMemory::Counter::count(std::int64_t bytes) {
  peak = std::max(peak, bytes_ += bytes);
}

LIMPID_INLINE NetworkCost measure_cost(const std::function<void(std::int64_t side)>& run,
                                       const ImagePadding& padding) {
  struct Taken {
    std::int64_t side = 0, bytes = 0;
    std::size_t layers = 0;
  };
  const auto taken = [&](std::int64_t least) {
    const auto side = padding.padded(least);
    WholeMaps maps;
    maps.show({side, side, 0, 0, side, side});
    const WholeMaps::Scope scope{maps};
    const PeakMemory memory;
    run(side);
    return Taken{side, memory.bytes(), maps.layers()};
  };
  const auto small = taken(192), large = taken(small.side + 128);
  const auto bytes = static_cast<double>(std::max<std::int64_t>(0, large.bytes - small.bytes));
  const auto pixels = large.side * large.side - small.side * small.side;
  return {bytes / static_cast<double>(pixels), large.layers};
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
