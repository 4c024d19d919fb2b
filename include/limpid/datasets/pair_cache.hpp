#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/pairs.hpp>

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace limpid {

/// Decoded pairs, up to a number of bytes. Safe to use from several threads.
///
/// What is in stays: epochs draw each pair once, in an order of their own, so the pair that was
/// used longest ago is no less likely to come next than another, and a cache that holds a quarter
/// of a set is hit by a quarter of the draws. (One that drops what was used longest ago holds, at
/// the start of an epoch, what the last epoch ended with: hit by less than a twentieth.) Only
/// another variant of a pair takes the place of the one before, which is not drawn again.
class PairCache {
 public:
  /// A pair's index and its variant.
  using Key = std::pair<std::int64_t, std::int64_t>;

  explicit PairCache(std::int64_t max_bytes) : max_bytes_(max_bytes) {}

  /// The pair of `key`, from the cache or from `load()`. Two threads that miss the same pair at the
  /// same time both load it.
  template <class Load>
  ImagePair get(Key key, Load load) {
    if (max_bytes_ <= 0) return load();
    {
      const std::lock_guard lock{mutex_};
      const auto found = entries_.find(key.first);
      if (found != entries_.end() && found->second.variant == key.second) return found->second.pair;
    }
    ImagePair pair = load();
    insert(key, pair);
    return pair;
  }

  /// Bytes of pixels that are kept.
  std::int64_t bytes() const;

  /// Pairs that are kept.
  std::int64_t size() const;

 private:
  struct Entry {
    std::int64_t variant;
    ImagePair pair;
  };

  static std::int64_t bytes_of(const ImagePair& pair);

  void insert(Key key, const ImagePair& pair);

  const std::int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::int64_t bytes_ = 0;
  std::unordered_map<std::int64_t, Entry> entries_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::int64_t PairCache::bytes() const {
  const std::lock_guard lock{mutex_};
  return bytes_;
}

LIMPID_INLINE std::int64_t PairCache::size() const {
  const std::lock_guard lock{mutex_};
  return static_cast<std::int64_t>(entries_.size());
}

LIMPID_INLINE std::int64_t PairCache::bytes_of(const ImagePair& pair) {
  const auto bytes = [](const Image& image) { return image.height() * image.width() * 3; };
  const bool shared = pair.degraded.data() == pair.target.data();
  auto all = bytes(pair.target) + (shared ? 0 : bytes(pair.degraded));
  for (const auto& image : pair.beside) all += bytes(image);
  return all;
}

LIMPID_INLINE void PairCache::insert(Key key, const ImagePair& pair) {
  const auto [index, variant] = key;
  const auto size = bytes_of(pair);
  const std::lock_guard lock{mutex_};
  if (const auto found = entries_.find(index); found != entries_.end()) {
    if (found->second.variant == variant) return;
    bytes_ -= bytes_of(found->second.pair);
    entries_.erase(found);
  }
  if (bytes_ + size > max_bytes_) return;
  entries_.emplace(index, Entry{variant, pair});
  bytes_ += size;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
