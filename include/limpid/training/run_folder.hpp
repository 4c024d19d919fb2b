#pragma once

#include <limpid/core/fail.hpp>

#include <c10/util/Exception.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace limpid {

inline constexpr const char* kCheckpointName = "checkpoint.limpid";
inline constexpr const char* kModelName = "model.limpid";
inline constexpr const char* kBestName = "best.limpid";  ///< of the best validation
inline constexpr const char* kRawName = "raw.limpid";    ///< of the last step, not averaged
inline constexpr const char* kMetricsName = "metrics.jsonl";
inline constexpr const char* kLockName = "run.lock";

/// The folder of a run. Other processes are kept out while the object lives: the lock ends with the
/// process that holds it, however that ends.
class RunFolder {
 public:
  /// Makes the folder where it is missing, and locks it. A file system without locks is used
  /// without.
  /// @throws c10::Error that names the folder if it cannot be written, or another process has it.
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    TORCH_CHECK(!error, "cannot write to '", path_.string(), "': ", error.message());
    lock_ = ::open((path_ / kLockName).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    TORCH_CHECK(lock_ >= 0, "cannot write to '", path_.string(), "': ", std::strerror(errno));
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) {
      if (::ftruncate(lock_, 0) == 0) ::dprintf(lock_, "%d\n", static_cast<int>(::getpid()));
    } else if (errno == EWOULDBLOCK) {
      const auto holder = holder_of_lock();
      ::close(lock_);
      limpid::fail("'", path_.string(), "' is in use: ", holder,
                   " trains there; one run at a time");
    }
  }

  ~RunFolder() { ::close(lock_); }
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  bool has(const char* name) const {
    std::error_code error;
    return std::filesystem::exists(path_ / name, error);
  }

  /// The first of a run's files that is here, or null. Each of them makes the folder a run's; only
  /// a log without a line holds nothing that could be lost.
  const char* file_of_a_run() const {
    for (const auto* name : {kCheckpointName, kModelName, kBestName, kRawName}) {
      if (has(name)) return name;
    }
    std::error_code error;
    const auto log = path_ / kMetricsName;
    const bool empty =
        std::filesystem::is_regular_file(log, error) && std::filesystem::file_size(log, error) == 0;
    return has(kMetricsName) && !empty ? kMetricsName : nullptr;
  }

  /// Removes the run that is here.
  void clear() const {
    for (const auto* name : {kCheckpointName, kModelName, kBestName, kRawName, kMetricsName}) {
      std::error_code error;
      std::filesystem::remove(path_ / name, error);
      TORCH_CHECK(!error, "cannot remove '", (path_ / name).string(), "': ", error.message());
    }
  }

  /// Which file stands under a name now: another value after it was written or replaced.
  std::array<std::int64_t, 3> identity(const char* name) const {
    struct stat found {};
    if (::stat((path_ / name).c_str(), &found) != 0) return {};
    return {static_cast<std::int64_t>(found.st_ino), found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::string holder_of_lock() const {
    char text[16] = {};
    const auto read = ::pread(lock_, text, sizeof text - 1, 0);
    const auto id = read > 0 ? std::string{text, std::strcspn(text, "\n")} : std::string{};
    return id.empty() ? "another process" : "process " + id;
  }

  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace limpid
