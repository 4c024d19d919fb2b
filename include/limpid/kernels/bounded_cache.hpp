#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <utility>

namespace limpid::detail {

/// Values that are expensive to make, by their keys: at most so many, those used last. Several
/// threads may ask at once; one makes while the others wait.
template <class Key, class Value>
class BoundedCache {
 public:
  explicit BoundedCache(std::size_t most) : most_(most) {}

  /// The value of `key`, made by `make()` if it is not there. What `make` throws passes through,
  /// and nothing is kept.
  template <class Make>
  Value get(const Key& key, Make make) {
    const std::lock_guard lock{mutex_};
    const auto found = places_.find(key);
    if (found != places_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return entries_.front().second;
    }
    entries_.emplace_front(key, make());
    places_[key] = entries_.begin();
    if (entries_.size() > most_) {
      places_.erase(entries_.back().first);
      entries_.pop_back();
    }
    return entries_.front().second;
  }

  std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return entries_.size();
  }

 private:
  using Entries = std::list<std::pair<Key, Value>>;  // the one used last comes first

  std::size_t most_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::map<Key, typename Entries::iterator> places_;
};

}  // namespace limpid::detail
