#pragma once

// How many pictures limpid-restore has in work, and by how many threads each.

#include <limpid/core/machine_memory.hpp>
#include <limpid/core/single_thread.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/io/image.hpp>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string>

namespace examples {

/// Lets small pictures be restored side by side, each by one thread, and large ones alone, by all:
/// small ones have too little work for several threads.
class Lanes {
 public:
  Lanes(std::int64_t jobs, int threads, const limpid::AnyRestorer& restorer,
        const std::string& task)
      : threads_(threads), jobs_(jobs) {
    if (jobs <= 1) return;
    const auto memory =
        static_cast<double>(limpid::free_memory()) / (2 * static_cast<double>(jobs));
    most_pixels_ = std::min(2e6, memory / std::max(1.0, restorer.cost(task).bytes_per_pixel));
  }

  int jobs() const { return static_cast<int>(jobs_); }

  /// Calls `restore` when this picture may be restored.
  template <class Restore>
  void run(const limpid::Image& picture, Restore restore) {
    if (jobs_ <= 1) {
      constexpr std::int64_t kTiny = 128 * 128;  // a team of threads costs more than the work
      const bool is_tiny = picture.height() * picture.width() <= kTiny;
      limpid::use_threads(is_tiny ? 1 : threads_);
      return restore();
    }
    if (static_cast<double>(picture.height() * picture.width()) <= most_pixels_) {
      const std::shared_lock lock{alone_};
      limpid::use_threads(static_cast<int>(std::max<std::int64_t>(1, threads_ / jobs_)));
      return restore();
    }
    const std::unique_lock lock{alone_};
    limpid::use_threads(threads_);
    restore();
  }

 private:
  int threads_;
  std::int64_t jobs_;
  double most_pixels_ = 0;
  std::shared_mutex alone_;
};

}  // namespace examples
