#pragma once

#include <limpid/core/single_thread.hpp>
#include <limpid/datasets/pairs.hpp>

#include <cstdint>
#include <future>
#include <utility>

namespace limpid::detail {

/// All pairs in order, each decoded by a thread of its own while the one before is in use.
class DecodedAhead {
 public:
  explicit DecodedAhead(Pairs pairs) : pairs_(std::move(pairs)) { begin(0); }
  DecodedAhead(const DecodedAhead&) = delete;
  DecodedAhead& operator=(const DecodedAhead&) = delete;

  /// The next pair.
  /// @throws what loading it threw; the one after it comes with the next call.
  ImagePair next() {
    coming_.wait();  // one picture at a time
    auto pair = std::move(coming_);
    begin(++next_);
    return pair.get();
  }

 private:
  void begin(std::int64_t i) {
    if (i >= pairs_.size()) return;
    coming_ = std::async(std::launch::async, [this, i] {
      use_one_thread();
      return pairs_.load(i);
    });
  }

  Pairs pairs_;
  std::int64_t next_ = 0;
  std::future<ImagePair> coming_;  // last: it ends before the pairs do
};

}  // namespace limpid::detail
