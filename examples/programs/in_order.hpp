#pragma once

// Work on many files at once, told of in their order.

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace examples {

/// Calls `work(i)` for each i below `count` from `jobs` threads, and `done(i)` from this one, in
/// order. What `work(i)` throws is thrown here in place of `done(i)`; nothing is begun after it.
/// With one job all happens in this thread.
///
/// Jobs that use one core each: `at::set_num_threads(1)` before.
template <class Work, class Done>
void work_in_order(std::size_t count, int jobs, Work work, Done done) {
  if (jobs <= 1 || count <= 1) {
    for (std::size_t i = 0; i < count; ++i) {
      work(i);
      done(i);
    }
    return;
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<char> finished(count, 0);
  std::vector<std::exception_ptr> errors(count);
  std::size_t next = 0;
  bool stopped = false;
  const auto run = [&] {
    std::unique_lock lock{mutex};
    while (next < count && !stopped) {
      const auto i = next++;
      lock.unlock();
      std::exception_ptr error;
      try {
        work(i);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      errors[i] = error;
      stopped = stopped || error;
      finished[i] = 1;
      changed.notify_one();
    }
  };
  struct Workers {
    std::vector<std::thread> all;
    std::mutex& mutex;
    bool& stopped;
    ~Workers() {
      {
        const std::lock_guard lock{mutex};
        stopped = true;
      }
      for (auto& worker : all) worker.join();
    }
  } workers{{}, mutex, stopped};
  for (int i = 0; i < jobs && static_cast<std::size_t>(i) < count; ++i) {
    workers.all.emplace_back(run);
  }
  for (std::size_t i = 0; i < count; ++i) {
    {
      std::unique_lock lock{mutex};
      // A failure stops what is not begun; all before it has been.
      changed.wait(lock, [&] { return finished[i] != 0; });
      if (errors[i]) std::rethrow_exception(errors[i]);
    }
    done(i);
  }
}

}  // namespace examples
