#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/printable.hpp>

#include <algorithm>
#endif

namespace limpid {

/// What pictures lost when they were read or written, each kind once with a count and the first
/// file: programs show it when they end. Safe to use from several threads.
class PictureLosses {
 public:
  /// Those of this process: `Image` adds to it.
  static PictureLosses& of_process();

  void add(const std::vector<std::string>& kinds, const std::string& file);

  /// One line for each kind, such as "2 pictures: 16 bits a colour become 8 ('a.png' and others)";
  /// they are forgotten then.
  std::vector<std::string> take_lines();

 private:
  static constexpr std::size_t kMostKinds = 32;  // warnings of decoders may hold numbers

  struct Entry {
    std::string kind, first;
    std::int64_t count = 0;
  };

  std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE PictureLosses& PictureLosses::of_process() {
  static PictureLosses losses;
  return losses;
}

LIMPID_INLINE void PictureLosses::add(const std::vector<std::string>& kinds,
                                      const std::string& file) {
  if (kinds.empty()) return;
  const std::lock_guard lock{mutex_};
  for (const auto& kind : kinds) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& entry) { return entry.kind == kind; });
    if (found != entries_.end()) {
      ++found->count;
    } else if (entries_.size() < kMostKinds) {
      entries_.push_back({kind, file, 1});
    }
  }
}

LIMPID_INLINE std::vector<std::string> PictureLosses::take_lines() {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> lines;
  for (const auto& [kind, first, count] : entries_) {
    lines.push_back(count == 1 ? "'" + printable(first) + "': " + kind
                               : std::to_string(count) + " pictures: " + kind + " ('" +
                                     printable(first) + "' and others)");
  }
  entries_.clear();
  return lines;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
