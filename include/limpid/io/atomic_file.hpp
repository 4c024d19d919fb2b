#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/descriptor_stream.hpp>
#include <limpid/io/output_place.hpp>
#include <limpid/io/removed_on_signal.hpp>

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#endif

namespace limpid {

namespace detail {

/// A new file beside the one that it will replace. Where the system can, it has no name until it is
/// whole, so that nothing of it is left even by SIGKILL; else a signal that ends the program
/// removes it. Its name cannot be guessed, and is opened only if nothing has it.
class AsideFile {
 public:
  /// @param unnamed  whether a file without a name is tried
  explicit AsideFile(const OutputPlace& place, bool unnamed = true);

  ~AsideFile() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }
  AsideFile(const AsideFile&) = delete;
  AsideFile& operator=(const AsideFile&) = delete;

  int descriptor() const;

  /// Flushes it to the disk and puts it where it belongs.
  void replace();

 private:
  std::string descriptor_name() const;

  void choose_name();

  // Where the owner cannot be kept, the bits that lend his rights are not either. File systems
  // without owners or modes refuse, and need none.
  void keep_owner_and_mode();

  OutputPlace place_;
  Descriptor file_;
  std::string name_;
  std::optional<RemovedOnSignal> guard_;
};

/// Lets `fill` write to an open file.
LIMPID_INLINE void fill_descriptor(const OutputPlace& place, int descriptor,
                                   const std::function<void(std::ostream&)>& fill);

/// Writes into what is no file of a folder: pipes, devices, standard output.
LIMPID_INLINE void write_in_place(const OutputPlace& place,
                                  const std::function<void(std::ostream&)>& fill);

}  // namespace detail

/// Writes a file aside, flushes it to the disk, and renames it into place: a reader, a full disk, a
/// signal or a power cut leaves the old file or the new one, never a part, and nothing beside it.
///
/// Links are followed: what they point to is replaced, with its owner and mode kept. Pipes, devices
/// and open descriptors ("/dev/stdout") are written to, and so is standard output under the name
/// "-" (a file of that name is "./-").
///
/// @param fill  writes the content to the stream.
/// @throws c10::Error that names `path` and the cause; whatever stood at `path` is untouched.
LIMPID_INLINE void write_atomically(const std::filesystem::path& path,
                                    const std::function<void(std::ostream&)>& fill);

/// Writes text atomically.
LIMPID_INLINE void write_atomically(const std::filesystem::path& path, const std::string& text);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE AsideFile::AsideFile(const OutputPlace& place, bool unnamed) : place_(place) {
  // The mode of what is replaced is set before the rename; until then nobody else reads it.
  const mode_t mode = place.exists ? 0600 : 0666;
  if (unnamed) {
    file_ = Descriptor{::open(place.folder().c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode)};
    if (file_.is_open() && ::access(descriptor_name().c_str(), F_OK) == 0) return;
  }
  choose_name();
  file_ =
      Descriptor{::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
  if (!file_.is_open()) {
    const int error = errno;
    name_.clear();
    place_.fail(error);
  }
}

LIMPID_INLINE int AsideFile::descriptor() const { return file_.number(); }

LIMPID_INLINE void AsideFile::replace() {
  if (place_.exists) keep_owner_and_mode();
  if (::fsync(descriptor()) != 0) place_.fail(errno);
  if (name_.empty()) {
    choose_name();
    if (::linkat(AT_FDCWD, descriptor_name().c_str(), AT_FDCWD, name_.c_str(), AT_SYMLINK_FOLLOW) !=
        0) {
      const int error = errno;
      name_.clear();
      place_.fail(error);
    }
  }
  if (::rename(name_.c_str(), place_.path.c_str()) != 0) place_.fail(errno);
  name_.clear();
  // A file system that cannot flush a folder is no error.
  const Descriptor folder{::open(place_.folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.is_open()) ::fsync(folder.number());
}

LIMPID_INLINE std::string AsideFile::descriptor_name() const {
  return "/proc/self/fd/" + std::to_string(descriptor());
}

LIMPID_INLINE void AsideFile::choose_name() {
  std::uint64_t random[2] = {};
  if (::getrandom(random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    place_.fail(errno);
  }
  char name[64];
  std::snprintf(name, sizeof name, ".limpid-%016llx%016llx.part",
                static_cast<unsigned long long>(random[0]),
                static_cast<unsigned long long>(random[1]));
  name_ = (place_.folder() / name).string();
  guard_.emplace(name_);
}

LIMPID_INLINE void AsideFile::keep_owner_and_mode() {
  const auto& old = place_.status;
  const bool same_owner = ::fchown(descriptor(), old.st_uid, old.st_gid) == 0;
  if (!same_owner && ::fchown(descriptor(), static_cast<uid_t>(-1), old.st_gid) != 0) {
    // neither; the file is ours
  }
  (void)::fchmod(descriptor(), old.st_mode & (same_owner ? 07777 : 0777));
}

LIMPID_INLINE void fill_descriptor(const OutputPlace& place, int descriptor,
                                   const std::function<void(std::ostream&)>& fill) {
  DescriptorBuffer buffer{descriptor};
  std::ostream stream{&buffer};
  fill(stream);
  stream.flush();
  if (buffer.error() != 0) place.fail(buffer.error());
  TORCH_CHECK(!stream.fail(), "cannot write ", place.where, ": the stream failed");
}

LIMPID_INLINE void write_in_place(const OutputPlace& place,
                                  const std::function<void(std::ostream&)>& fill) {
  using Kind = OutputPlace::Kind;
  std::fflush(nullptr);  // what was printed before stays before
  std::cout.flush();
  if (place.kind == Kind::standard_output || place.kind == Kind::open_descriptor) {
    fill_descriptor(place, place.kind == Kind::standard_output ? STDOUT_FILENO : place.descriptor,
                    fill);
    return;
  }
  const Descriptor file{::open(place.path.c_str(), O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC)};
  if (!file.is_open()) place.fail(errno);
  fill_descriptor(place, file.number(), fill);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void write_atomically(const std::filesystem::path& path,
                                    const std::function<void(std::ostream&)>& fill) {
  const auto place = output_place(path);
  if (place.kind != OutputPlace::Kind::file) {
    detail::write_in_place(place, fill);
    return;
  }
  check_writable(path);
  detail::AsideFile aside{place};
  detail::fill_descriptor(place, aside.descriptor(), fill);
  aside.replace();
}

LIMPID_INLINE void write_atomically(const std::filesystem::path& path, const std::string& text) {
  write_atomically(path, [&](std::ostream& stream) { stream << text; });
}

}  // namespace limpid

#endif  // LIMPID_BODIES
