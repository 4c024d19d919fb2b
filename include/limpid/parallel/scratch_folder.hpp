#pragma once

#include <c10/util/Exception.h>

#include <stdlib.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace limpid {

/// A new folder among the machine's temporary ones that only this user can enter; it is removed
/// with all that is in it.
class ScratchFolder {
 public:
  /// @throws c10::Error that names the folder if it cannot be made
  ScratchFolder() {
    auto name = (std::filesystem::temp_directory_path() / "limpid-XXXXXX").string();
    TORCH_CHECK(::mkdtemp(name.data()) != nullptr, "cannot make the folder '", name,
                "': ", std::strerror(errno));
    path_ = name;
  }

  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace limpid
