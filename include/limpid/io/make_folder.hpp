#pragma once

#include <c10/util/Exception.h>

#include <filesystem>
#include <string_view>
#include <system_error>

namespace limpid {

/// Makes a folder and those above it, where they are not there. An empty path is the current
/// folder.
///
/// @param what  what names the folder, for the error: "--out"
/// @throws c10::Error "--out: cannot make the folder 'a/b': Permission denied"
inline void make_folder(std::string_view what, const std::filesystem::path& folder) {
  if (folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && !std::filesystem::is_directory(folder, error) && !error) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  TORCH_CHECK(!error, what, ": cannot make the folder '", folder.string(), "': ", error.message());
}

}  // namespace limpid
