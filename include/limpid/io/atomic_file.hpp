#pragma once

#include <c10/util/Exception.h>

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>
#include <string>

namespace limpid {

namespace detail {

/// Flushes a file or folder to the disk. A file system that cannot is not an error for a folder.
inline void sync_to_disk(const std::filesystem::path& path, bool is_folder) {
  const int descriptor = ::open(path.c_str(), is_folder ? O_RDONLY | O_DIRECTORY : O_RDONLY);
  if (descriptor < 0) {
    TORCH_CHECK(is_folder, "cannot write '", path.string(), "': ", std::strerror(errno));
    return;
  }
  const int failed = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  TORCH_CHECK(is_folder || failed == 0, "cannot write '", path.string(),
              "': ", std::strerror(error));
}

}  // namespace detail

/// Writes a file aside, flushes it to the disk, and renames it into place: a reader, a full disk or
/// a power cut sees the old file or the new one, never a part.
///
/// @param fill  writes the content to the stream.
/// @throws c10::Error that names `path` and the cause; whatever stood at `path` is untouched.
inline void write_atomically(const std::filesystem::path& path,
                             const std::function<void(std::ostream&)>& fill) {
  const auto aside = std::filesystem::path{path.string() + ".part" + std::to_string(::getpid())};
  try {
    errno = 0;
    std::ofstream stream{aside, std::ios::binary | std::ios::trunc};
    TORCH_CHECK(stream.is_open(), "cannot write '", path.string(), "': ", std::strerror(errno));
    fill(stream);
    stream.close();
    TORCH_CHECK(!stream.fail(), "cannot write '", path.string(),
                "': ", errno != 0 ? std::strerror(errno) : "the stream failed");
    detail::sync_to_disk(aside, false);
    std::error_code error;
    std::filesystem::rename(aside, path, error);
    TORCH_CHECK(!error, "cannot write '", path.string(), "': ", error.message());
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(aside, ignored);
    throw;
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  detail::sync_to_disk(folder, true);
}

/// Writes text atomically.
inline void write_atomically(const std::filesystem::path& path, const std::string& text) {
  write_atomically(path, [&](std::ostream& stream) { stream << text; });
}

}  // namespace limpid
