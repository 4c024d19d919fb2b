#pragma once

// Work on many files at once, as the subcommands of limpid-data do it.

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace examples {

/// Calls `work(i)` for each i below `count` from `threads` threads, each alone in its operators,
/// and behind each `done(i, finished)` from one thread at a time. The first error ends it.
template <class Work, class Done>
void in_parallel(std::size_t count, int threads, Work work, Done done) {
  at::set_num_threads(1);
  std::size_t next = 0;
  std::size_t finished = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto run = [&] {
    std::unique_lock lock{mutex};
    while (next < count && !failure) {
      const auto i = next++;
      lock.unlock();
      std::exception_ptr error;
      try {
        work(i);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      if (error && !failure) failure = error;
      if (!error) done(i, ++finished);
    }
  };
  std::vector<std::thread> workers;
  const auto most = std::min(static_cast<std::size_t>(threads), count);
  for (std::size_t i = 0; i < most; ++i) workers.emplace_back(run);
  for (auto& worker : workers) worker.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace examples
