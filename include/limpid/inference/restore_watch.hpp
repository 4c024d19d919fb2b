#pragma once

#include <limpid/core/compiled.hpp>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace limpid {

/// How far a picture is. One that is restored at once is one tile.
struct RestoreProgress {
  std::int64_t tiles_done = 0;
  std::int64_t tiles = 0;
  /// Of the network so far; more than tiles where it first gathers the statistics of the whole
  /// picture, or lays the picture in several ways.
  std::int64_t runs = 0;
};

/// Who restores may watch, and stop, what takes long: both are looked at between two runs of the
/// network.
///
/// ```cpp
/// std::stop_source stop;  // stop.request_stop(), from any thread
/// restorer.restore("deblur", photo, {.stop = stop.get_token(), .progress = show});
/// ```
struct RestoreWatch {
  std::stop_token stop{};
  /// Called by the thread that restores, before the first run and after each. What it throws ends
  /// the restoring and passes through.
  std::function<void(const RestoreProgress&)> progress{};
};

/// Thrown where restoring was asked to stop.
class RestoreCancelled : public std::runtime_error {
 public:
  explicit RestoreCancelled(const RestoreProgress& reached)
      : std::runtime_error("restore: cancelled after " + std::to_string(reached.tiles_done) +
                           " of " + std::to_string(reached.tiles) + " tiles") {}
};

namespace detail {

/// One restoring that is watched.
class WatchedRun {
 public:
  WatchedRun(const RestoreWatch& watch, std::int64_t tiles);

  /// Before the network runs.
  void check() const;

  /// After it ran.
  void ran();

  void tile_done();

 private:
  void tell() const;

  const RestoreWatch& watch_;
  RestoreProgress progress_;
};

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE WatchedRun::WatchedRun(const RestoreWatch& watch, std::int64_t tiles)
    : watch_(watch) {
  progress_.tiles = tiles;
  check();
  tell();
}

LIMPID_INLINE void WatchedRun::check() const {
  if (watch_.stop.stop_requested()) throw RestoreCancelled{progress_};
}

LIMPID_INLINE void WatchedRun::ran() {
  ++progress_.runs;
  tell();
}

LIMPID_INLINE void WatchedRun::tile_done() {
  ++progress_.tiles_done;
  tell();
}

LIMPID_INLINE void WatchedRun::tell() const {
  if (watch_.progress) watch_.progress(progress_);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
