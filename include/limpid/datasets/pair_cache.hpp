#pragma once

#include <limpid/datasets/pairs.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <utility>

namespace limpid {

/// Decoded pairs that were used last, up to a number of bytes. Safe to use from several threads.
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
      if (const auto found = entries_.find(key); found != entries_.end()) {
        order_.splice(order_.begin(), order_, found->second);
        return order_.front().second;
      }
    }
    ImagePair pair = load();
    insert(key, pair);
    return pair;
  }

  /// Bytes of pixels that are kept.
  std::int64_t bytes() const {
    const std::lock_guard lock{mutex_};
    return bytes_;
  }

  /// Pairs that are kept.
  std::int64_t size() const {
    const std::lock_guard lock{mutex_};
    return static_cast<std::int64_t>(order_.size());
  }

 private:
  static std::int64_t bytes_of(const ImagePair& pair) {
    const auto bytes = [](const Image& image) { return image.height() * image.width() * 3; };
    return bytes(pair.degraded) + bytes(pair.target);
  }

  void insert(Key key, const ImagePair& pair) {
    const auto size = bytes_of(pair);
    if (size > max_bytes_) return;
    const std::lock_guard lock{mutex_};
    if (entries_.count(key) != 0) return;
    while (bytes_ + size > max_bytes_) {
      bytes_ -= bytes_of(order_.back().second);
      entries_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(key, pair);
    entries_[key] = order_.begin();
    bytes_ += size;
  }

  const std::int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::int64_t bytes_ = 0;
  std::list<std::pair<Key, ImagePair>> order_;  // the pair used last comes first
  std::map<Key, std::list<std::pair<Key, ImagePair>>::iterator> entries_;
};

}  // namespace limpid
