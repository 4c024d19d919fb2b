#pragma once

#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>

namespace limpid {

namespace detail {

/// The number that a file begins with, or the largest there is: where the file is missing, or says
/// "max".
inline std::uint64_t limit_in_file(const char* path) {
  std::uint64_t limit = 0;
  if (std::ifstream{path} >> limit) return limit;
  return std::numeric_limits<std::uint64_t>::max();
}

}  // namespace detail

/// Bytes of memory that this process can have at most: the machine's, or its container's.
inline std::uint64_t machine_memory() {
  const auto pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  const auto machine = pages > 0 && page > 0
                           ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page)
                           : std::numeric_limits<std::uint64_t>::max();
  // Linux: control groups of either version, as a container sees its own.
  return std::min({machine, detail::limit_in_file("/sys/fs/cgroup/memory.max"),
                   detail::limit_in_file("/sys/fs/cgroup/memory/memory.limit_in_bytes")});
}

}  // namespace limpid
