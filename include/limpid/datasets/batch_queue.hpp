#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/sample_maker.hpp>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/single_thread.hpp>
#endif

namespace limpid::detail {

/// Batches made ahead by threads, which share the samples of each.
class BatchQueue {
 public:
  explicit BatchQueue(SampleMaker& maker);
  ~BatchQueue() { stop(); }
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;

  /// Batches handed out so far.
  std::int64_t position() const;

  /// Goes on with batch `position`.
  void seek(std::int64_t position);

  /// The next batch; without threads it is made now.
  /// @throws what made a sample fail, of several the first; the same again until `seek`.
  MadeBatch next();

 private:
  /// A batch that is being made.
  struct Work {
    Work(MadeBatch given, std::int64_t size)
        : made(std::move(given)), missing(size), failed(size) {}

    MadeBatch made;
    std::int64_t missing;      // samples that are still to come
    std::int64_t failed;       // the first sample that failed, or their number
    std::exception_ptr error;  // what it failed with
  };

  std::int64_t batch_size() const;

  void work();

  void stop();

  SampleMaker& maker_;
  mutable std::mutex mutex_;
  std::condition_variable room_;     // a batch was taken, or the queue ends
  std::condition_variable arrived_;  // a batch was made
  std::map<std::int64_t, std::shared_ptr<Work>> begun_;
  std::int64_t handed_out_ = 0;
  std::int64_t claimed_ = 0;  // samples: the next one that a thread makes
  bool stopping_ = false;
  std::vector<std::thread> workers_;  // last: they see all of the above
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE BatchQueue::BatchQueue(SampleMaker& maker) : maker_(maker) {
  try {
    for (std::int64_t i = 0; i < maker_.options().workers; ++i) {
      workers_.emplace_back([this] { work(); });
    }
  } catch (...) {  // no more threads to be had
    stop();
    throw;
  }
}

LIMPID_INLINE std::int64_t BatchQueue::position() const {
  const std::lock_guard lock{mutex_};
  return handed_out_;
}

LIMPID_INLINE void BatchQueue::seek(std::int64_t position) {
  check_at_least("PairLoader: position", position, 0);
  {
    const std::lock_guard lock{mutex_};
    begun_.clear();
    handed_out_ = position;
    claimed_ = position * batch_size();
  }
  maker_.forget_order();
  room_.notify_all();
}

LIMPID_INLINE MadeBatch BatchQueue::next() {
  if (workers_.empty()) {
    auto whole = maker_.begin(handed_out_);
    for (std::int64_t i = 0; i < batch_size(); ++i) maker_.make(handed_out_, i, whole);
    ++handed_out_;
    return whole;
  }
  std::unique_lock lock{mutex_};
  arrived_.wait(lock, [&] {
    const auto found = begun_.find(handed_out_);
    return found != begun_.end() && found->second->missing == 0;
  });
  const auto found = begun_.find(handed_out_);
  if (found->second->error != nullptr) std::rethrow_exception(found->second->error);
  auto made = std::move(found->second->made);
  begun_.erase(found);
  ++handed_out_;
  lock.unlock();
  room_.notify_all();
  return made;
}

LIMPID_INLINE std::int64_t BatchQueue::batch_size() const { return maker_.options().batch_size; }

LIMPID_INLINE void BatchQueue::work() {
  use_one_thread();
  std::unique_lock lock{mutex_};
  while (true) {
    room_.wait(lock, [&] {
      const auto ahead = handed_out_ + *maker_.options().prefetch;
      return stopping_ || claimed_ < ahead * batch_size();
    });
    if (stopping_) return;
    const auto number = claimed_ / batch_size();
    const auto i = claimed_ % batch_size();
    ++claimed_;
    auto& place = begun_[number];
    if (place == nullptr) place = std::make_shared<Work>(maker_.begin(number), batch_size());
    // A copy of the pointer: after a seek nobody waits for this batch, but it is written to.
    const auto batch = place;
    lock.unlock();
    std::exception_ptr error;
    try {
      maker_.make(number, i, batch->made);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error != nullptr && i < batch->failed) {
      batch->failed = i;
      batch->error = error;
    }
    if (--batch->missing == 0) arrived_.notify_all();
  }
}

LIMPID_INLINE void BatchQueue::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  room_.notify_all();
  for (auto& worker : workers_) worker.join();
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
