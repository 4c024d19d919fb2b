#pragma once

#include <stdlib.h>
#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <system_error>

// Ranks of a training that limpid-train started.
namespace limpid_test {

/// The process of a rank among the children of `supervisor`, or 0.
inline pid_t rank_of(pid_t supervisor, int rank) {
  const auto read = [](const std::filesystem::path& path) {
    std::ifstream stream{path, std::ios::binary};
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
  };
  const auto variable = "LIMPID_RANK=" + std::to_string(rank) + '\0';
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc", ignored}) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    const auto status = read(entry.path() / "status");
    const auto parent = "\nPPid:\t" + std::to_string(supervisor) + "\n";
    if (status.find(parent) == status.npos) continue;
    if (read(entry.path() / "environ").find(variable) != std::string::npos) return std::stoi(name);
  }
  return 0;
}

/// To call in a child: its temporary folders are made in `folder`.
inline std::function<void()> with_temporary_folders_in(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  return [path = folder.string()] { ::setenv("TMPDIR", path.c_str(), 1); };
}

/// When a file was written last; some time in the past where there is none.
inline std::filesystem::file_time_type modified(const std::filesystem::path& path) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(path, error);
  return error ? std::filesystem::file_time_type::min() : time;
}

/// A safetensors file behind its header: all tensors' bytes.
inline std::string tensors_of(const std::filesystem::path& path) {
  std::ifstream stream{path, std::ios::binary};
  const std::string file{std::istreambuf_iterator<char>{stream}, {}};
  std::uint64_t header = 0;
  for (int i = 7; i >= 0; --i)
    header = header << 8 | static_cast<unsigned char>(file.at(static_cast<std::size_t>(i)));
  return file.substr(8 + header);
}

}  // namespace limpid_test
