#pragma once

// Programs whose runs several machines share.

#include <limpid/core/fail.hpp>

#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

namespace examples {

/// The share of one machine: of a list of runs every `count`-th, from the `number`-th on.
struct Shard {
  std::int64_t number = 1, count = 1;

  bool has(std::size_t place) const {
    return static_cast<std::int64_t>(place) % count == number - 1;
  }

  /// "2/4". @return whether `text` is one
  static bool parse(const std::string& text, Shard& shard) {
    const char* end = text.data() + text.size();
    auto read = std::from_chars(text.data(), end, shard.number);
    if (read.ec != std::errc{} || read.ptr == end || *read.ptr != '/') return false;
    read = std::from_chars(read.ptr + 1, end, shard.count);
    return read.ec == std::errc{} && read.ptr == end && shard.number >= 1 &&
           shard.number <= shard.count;
  }
};

/// Adds --shard.
inline void add_shard(CLI::App& app, Shard& shard) {
  app.add_option_function<std::string>(
         "--shard", [&shard](const std::string& text) { Shard::parse(text, shard); },
         "Only the I-th of N shares of the runs, from 1; machines that see one folder make its "
         "page together: --shard $SLURM_ARRAY_TASK_ID/4 [1/1]")
      ->check(CLI::Validator{[](std::string& text) -> std::string {
                               Shard shard;
                               if (Shard::parse(text, shard)) return {};
                               return "expected I/N with I from 1 to N, got '" + text + "'";
                             },
                             ""})
      ->type_name("I/N");
}

/// Calls `work` while no other program does that with the same file, so that whoever comes last
/// sees what the others wrote. A file system without locks is used without.
/// @throws c10::Error that names a file that cannot be made
template <class Work>
void one_at_a_time(const std::filesystem::path& file, Work work) {
  struct Lock {
    int descriptor;
    ~Lock() { ::close(descriptor); }
  };
  const Lock lock{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)};
  if (lock.descriptor < 0) {
    limpid::fail("cannot write '", file.string(), "': ", std::strerror(errno));
  }
  while (::flock(lock.descriptor, LOCK_EX) != 0 && errno == EINTR) {
  }
  work();
}

}  // namespace examples
