#pragma once

#include <limpid/core/compiled.hpp>

#include <sys/resource.h>
#include <cstdint>
#include <limits>
#include <string>

#ifdef LIMPID_BODIES
#include <unistd.h>

#include <algorithm>
#include <fstream>
#endif

namespace limpid {

namespace detail {

inline constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// The number that a file begins with, or the largest there is: where the file is missing, or says
/// "max".
LIMPID_INLINE std::uint64_t limit_in_file(const char* path);

/// The number behind a word at the beginning of a line of a file; 0 where there is none.
LIMPID_INLINE std::uint64_t entry_in_file(const char* path, const std::string& entry);

/// What is left of a limit; files that can be read again count as free.
LIMPID_INLINE std::uint64_t left_of(std::uint64_t limit, std::uint64_t used, std::uint64_t files);

}  // namespace detail

/// Bytes of memory that this process can have at most: the machine's, or its container's.
LIMPID_INLINE std::uint64_t machine_memory();

/// Bytes of memory that this process can still take: what is free on the machine, in its container,
/// and under the limit that a shell set (`ulimit -v`).
LIMPID_INLINE std::uint64_t free_memory();

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::uint64_t limit_in_file(const char* path) {
  std::uint64_t limit = 0;
  if (std::ifstream{path} >> limit) return limit;
  return kNoLimit;
}

LIMPID_INLINE std::uint64_t entry_in_file(const char* path, const std::string& entry) {
  std::ifstream file{path};
  for (std::string word; file >> word;) {
    std::uint64_t value = 0;
    if (word == entry && file >> value) return value;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

LIMPID_INLINE std::uint64_t left_of(std::uint64_t limit, std::uint64_t used, std::uint64_t files) {
  if (limit == kNoLimit || used == kNoLimit) return kNoLimit;
  used -= std::min(used, files);
  return limit - std::min(limit, used);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE std::uint64_t machine_memory() {
  const auto pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  const auto machine = pages > 0 && page > 0
                           ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page)
                           : detail::kNoLimit;
  // Linux: control groups of either version, as a container sees its own.
  return std::min({machine, detail::limit_in_file("/sys/fs/cgroup/memory.max"),
                   detail::limit_in_file("/sys/fs/cgroup/memory/memory.limit_in_bytes")});
}

LIMPID_INLINE std::uint64_t free_memory() {
  using detail::entry_in_file, detail::limit_in_file, detail::left_of;
  auto free = machine_memory();
  if (const auto available = entry_in_file("/proc/meminfo", "MemAvailable:"); available > 0) {
    free = std::min(free, available * 1024);
  }
  free = std::min(free, left_of(limit_in_file("/sys/fs/cgroup/memory.max"),
                                limit_in_file("/sys/fs/cgroup/memory.current"),
                                entry_in_file("/sys/fs/cgroup/memory.stat", "inactive_file")));
  constexpr auto kOld = "/sys/fs/cgroup/memory/memory.";
  const auto old = [&](const char* name) { return std::string{kOld} + name; };
  free = std::min(free, left_of(limit_in_file(old("limit_in_bytes").c_str()),
                                limit_in_file(old("usage_in_bytes").c_str()),
                                entry_in_file(old("stat").c_str(), "total_inactive_file")));
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const auto page = static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_PAGESIZE)));
    const auto used = limit_in_file("/proc/self/statm");
    free = std::min(free, left_of(limit.rlim_cur, used == detail::kNoLimit ? 0 : used * page, 0));
  }
  return free;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
