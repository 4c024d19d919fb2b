#pragma once

#include <limpid/core/compiled.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#ifdef LIMPID_BODIES
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#endif

namespace limpid {

/// What stands at a path that is no file of bytes: "it is a named pipe", "it is a folder", "it is a
/// link to nothing", "No such file or directory" ... Empty for a regular file; links are followed,
/// and nothing is opened.
LIMPID_INLINE std::string why_not_regular(const std::filesystem::path& path);

/// A regular file, open for reading. A pipe or device is never opened, since that may wait for
/// ever or do something.
class RegularFile {
 public:
  explicit RegularFile(const std::filesystem::path& path);
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;
  ~RegularFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Why it could not be opened or read; empty while all is well.
  const std::string& problem() const { return problem_; }

  std::int64_t size() const { return size_; }

  /// The next bytes: `count` of them, or fewer where the file ends or `problem()` speaks.
  std::string read(std::size_t count);

 private:
  static constexpr std::size_t kStep = std::size_t{1} << 30;

  std::string problem_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::string why_not_regular(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    const int cause = errno;
    const bool is_link = ::lstat(path.c_str(), &found) == 0 && S_ISLNK(found.st_mode);
    if (is_link && cause == ENOENT) return "it is a link to nothing";
    return std::strerror(cause);
  }
  if (S_ISREG(found.st_mode)) return {};
  if (S_ISDIR(found.st_mode)) return "it is a folder";
  if (S_ISFIFO(found.st_mode)) return "it is a named pipe";
  if (S_ISSOCK(found.st_mode)) return "it is a socket";
  return "it is a device";
}

LIMPID_INLINE RegularFile::RegularFile(const std::filesystem::path& path)
    : problem_(why_not_regular(path)) {
  if (!problem_.empty()) return;
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  struct stat found {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &found) != 0) {
    problem_ = std::strerror(errno);
  } else if (!S_ISREG(found.st_mode)) {
    problem_ = "it is no regular file";
  } else {
    size_ = static_cast<std::int64_t>(found.st_size);
  }
}

LIMPID_INLINE std::string RegularFile::read(std::size_t count) {
  std::string bytes;
  if (!problem_.empty()) return bytes;
  bytes.resize(count);
  std::size_t got = 0;
  while (got < count) {
    const auto step = ::read(descriptor_, bytes.data() + got, std::min(count - got, kStep));
    if (step < 0 && errno == EINTR) continue;
    if (step < 0) problem_ = std::strerror(errno);
    if (step <= 0) break;
    got += static_cast<std::size_t>(step);
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
