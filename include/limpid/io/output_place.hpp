#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/io/descriptor_stream.hpp>

#include <sys/stat.h>
#include <filesystem>
#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <c10/util/Exception.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#endif

namespace limpid {

namespace detail {

/// N of "/dev/fd/N", "/proc/self/fd/N" and the like: a file that this program has open. -1: none.
LIMPID_INLINE int own_descriptor(const std::filesystem::path& path);

}  // namespace detail

/// What stands where something shall be written, with links followed.
struct OutputPlace {
  enum class Kind { standard_output, open_descriptor, special, file };

  Kind kind = Kind::file;
  std::string where;           ///< as errors name it: "'a.json'" or "standard output"
  std::filesystem::path path;  ///< behind all links
  bool exists = false;
  struct stat status {};  ///< of what exists
  int descriptor = -1;    ///< of an open descriptor

  std::filesystem::path folder() const;

  /// @throws c10::Error that names the place, and what the system said.
  [[noreturn]] void fail(int error) const;
};

/// What stands at `path`; "-" is standard output.
///
/// @throws c10::Error if nothing can be written there: a folder, a circle of links.
LIMPID_INLINE OutputPlace output_place(const std::filesystem::path& path);

/// Tries whether `write_atomically` may write there, before long work; writes and makes nothing.
///
/// @throws c10::Error as `write_atomically` would: no folder to write in, no permission, a
///         folder in its place, a closed standard output. A full disk shows only in writing.
LIMPID_INLINE void check_writable(const std::filesystem::path& path);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE int own_descriptor(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto folder = std::filesystem::canonical(path.parent_path(), ignored).string();
  if (folder != "/proc/" + std::to_string(::getpid()) + "/fd") return -1;
  const auto name = path.filename().string();
  int number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc{} && end == name.data() + name.size() ? number : -1;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE std::filesystem::path OutputPlace::folder() const {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
}

LIMPID_INLINE void OutputPlace::fail(int error) const {
  limpid::fail("cannot write ", where, ": ", std::strerror(error));
}

LIMPID_INLINE OutputPlace output_place(const std::filesystem::path& path) {
  using Kind = OutputPlace::Kind;
  OutputPlace place;
  place.where = "'" + path.string() + "'";
  place.path = path;
  if (path == "-") {
    place.kind = Kind::standard_output;
    place.where = "standard output";
    return place;
  }
  for (int links = 0;; ++links) {
    if (const int number = detail::own_descriptor(place.path); number >= 0) {
      place.kind = Kind::open_descriptor;
      place.descriptor = number;
      return place;
    }
    place.exists = ::lstat(place.path.c_str(), &place.status) == 0;
    if (!place.exists && errno != ENOENT) place.fail(errno);
    if (!place.exists || !S_ISLNK(place.status.st_mode)) break;
    if (links == 40) place.fail(ELOOP);
    std::error_code error;
    const auto target = std::filesystem::read_symlink(place.path, error);
    if (error) place.fail(error.value());
    place.path = place.path.parent_path() / target;  // `target` alone where it is absolute
  }
  if (!place.exists || S_ISREG(place.status.st_mode)) return place;
  if (S_ISDIR(place.status.st_mode)) place.fail(EISDIR);
  place.kind = Kind::special;
  return place;
}

LIMPID_INLINE void check_writable(const std::filesystem::path& path) {
  using Kind = OutputPlace::Kind;
  const auto place = output_place(path);
  if (place.kind == Kind::standard_output || place.kind == Kind::open_descriptor) {
    const int flags =
        ::fcntl(place.kind == Kind::standard_output ? STDOUT_FILENO : place.descriptor, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) place.fail(EBADF);
    return;
  }
  const auto may = [&](const std::filesystem::path& what, int how) {
    if (::faccessat(AT_FDCWD, what.c_str(), how, AT_EACCESS) != 0) place.fail(errno);
  };
  if (place.exists) may(place.path, W_OK);
  if (place.kind != Kind::file) return;
  may(place.folder(), W_OK | X_OK);
  std::error_code ignored;
  if (!std::filesystem::is_directory(place.folder(), ignored)) place.fail(ENOTDIR);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
