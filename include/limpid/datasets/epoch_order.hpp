#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/random.hpp>
#include <limpid/core/shuffled.hpp>

#include <numeric>
#endif

namespace limpid::detail {

/// In which order an epoch draws pairs, each once. It follows from the seed and the epoch; several
/// threads may ask at once.
class EpochOrder {
 public:
  EpochOrder(std::int64_t size, std::uint64_t seed) : size_(size), seed_(seed) {}

  /// The pair that is drawn at `place` of an epoch.
  std::int64_t pair(std::int64_t epoch, std::int64_t place);

  /// What comes next may be an earlier epoch.
  void forget();

 private:
  using Order = std::shared_ptr<const std::vector<std::int64_t>>;

  Order of(std::int64_t epoch);

  std::int64_t size_;
  std::uint64_t seed_;
  std::mutex mutex_;
  std::map<std::int64_t, Order> known_;  // the last few
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::int64_t EpochOrder::pair(std::int64_t epoch, std::int64_t place) {
  return (*of(epoch))[static_cast<std::size_t>(place)];
}

LIMPID_INLINE void EpochOrder::forget() {
  const std::lock_guard lock{mutex_};
  known_.clear();
}

LIMPID_INLINE EpochOrder::Order EpochOrder::of(std::int64_t epoch) {
  const std::lock_guard lock{mutex_};
  if (const auto found = known_.find(epoch); found != known_.end()) return found->second;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(size_));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  auto random = Random::stream(seed_, {static_cast<std::uint64_t>(epoch)});
  indices = shuffled(std::move(indices), random);
  if (known_.size() >= 4) known_.erase(known_.begin());
  return known_[epoch] = std::make_shared<const std::vector<std::int64_t>>(std::move(indices));
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
