#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/regular_file.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>

#include <cerrno>
#include <cstring>
#endif

namespace limpid {

/// A regular file, or the bytes of one in memory, read at any place, never beyond its end.
class InputFile {
 public:
  /// @param what  how errors call it: "cannot read WHAT 'PATH': ..."
  InputFile(std::filesystem::path path, std::string what);

  /// @param bytes  they stay as they are while this lives
  /// @param name   stands for the path
  InputFile(std::string_view bytes, std::string name, const std::string& what)
      : path_(std::move(name)),
        where_("cannot read " + what + " '" + path_.string() + "': "),
        bytes_(bytes),
        is_in_memory_(true),
        size_(bytes.size()) {}

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// How errors about this file begin.
  const std::string& where() const { return where_; }

  /// @throws c10::Error unless `size` bytes stand at `offset`.
  void read(std::uint64_t offset, void* destination, std::uint64_t size);

  std::string read(std::uint64_t offset, std::uint64_t size);

 private:
  void check_within(std::uint64_t offset, std::uint64_t size) const;

  std::filesystem::path path_;
  std::string where_;
  std::ifstream stream_;
  std::string_view bytes_;
  bool is_in_memory_ = false;
  std::uint64_t size_ = 0;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE InputFile::InputFile(std::filesystem::path path, std::string what)
    : path_(std::move(path)), where_("cannot read " + what + " '" + path_.string() + "': ") {
  const auto problem = why_not_regular(path_);
  TORCH_CHECK(problem.empty(), where_, problem);
  errno = 0;
  stream_.open(path_, std::ios::binary);
  TORCH_CHECK(stream_.is_open(), where_, std::strerror(errno));
  stream_.seekg(0, std::ios::end);
  const auto end = stream_.tellg();
  TORCH_CHECK(end >= 0, where_, "its size cannot be found");
  size_ = static_cast<std::uint64_t>(end);
}

LIMPID_INLINE void InputFile::read(std::uint64_t offset, void* destination, std::uint64_t size) {
  check_within(offset, size);
  if (size == 0) return;
  if (is_in_memory_) {
    std::memcpy(destination, bytes_.data() + offset, size);
    return;
  }
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(offset));
  TORCH_CHECK(stream_.read(static_cast<char*>(destination), static_cast<std::streamsize>(size)),
              where_, size, " bytes at ", offset, " cannot be read");
}

LIMPID_INLINE std::string InputFile::read(std::uint64_t offset, std::uint64_t size) {
  check_within(offset, size);
  std::string bytes(size, '\0');
  read(offset, bytes.data(), size);
  return bytes;
}

LIMPID_INLINE void InputFile::check_within(std::uint64_t offset, std::uint64_t size) const {
  TORCH_CHECK(offset <= size_ && size <= size_ - offset, where_, "expected ", size, " bytes at ",
              offset, ", found a file of ", size_, " (cut short?)");
}

}  // namespace limpid

#endif  // LIMPID_BODIES
