#pragma once

#include <limpid/io/image.hpp>

#include <c10/util/Exception.h>

#include <sys/stat.h>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace limpid {

/// A picture, and the file that what is made of it goes to.
struct OutputFile {
  std::filesystem::path input;
  std::filesystem::path output;
};

namespace detail {

/// What two names of one file have in common, links included; {0, 0} where there is no file.
inline std::pair<dev_t, ino_t> file_identity(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {0, 0};
  return {found.st_dev, found.st_ino};
}

}  // namespace detail

/// Where the results for pictures go: `folder`/STEM`extension`, in the order of the inputs.
///
/// @param inputs     picture files, and folders whose pictures are meant (`list_images`)
/// @param folder     need not exist
/// @param extension  with its dot: ".png"
/// @throws c10::Error before anything is written: a result would overwrite an input, under whatever
///         name or link; two results would have one name; a folder holds no picture.
inline std::vector<OutputFile> plan_output_files(const std::vector<std::filesystem::path>& inputs,
                                                 const std::filesystem::path& folder,
                                                 const std::string& extension) {
  namespace fs = std::filesystem;
  std::vector<OutputFile> files;
  for (const auto& input : inputs) {
    std::error_code ignored;
    const auto pictures =
        fs::is_directory(input, ignored) ? list_images(input) : std::vector<fs::path>{input};
    for (const auto& picture : pictures) {
      files.push_back({picture, folder / (picture.stem().string() + extension)});
    }
  }
  std::map<std::pair<dev_t, ino_t>, fs::path> taken;
  for (const auto& file : files) taken.emplace(detail::file_identity(file.input), file.input);
  taken.erase({0, 0});
  std::map<fs::path, fs::path> sources;
  for (const auto& [input, output] : files) {
    const auto [first, is_new] = sources.emplace(output, input);
    TORCH_CHECK(is_new, "'", first->second.string(), "' and '", input.string(),
                "' would both be written to '", output.string(), "'");
    const auto overwritten = taken.find(detail::file_identity(output));
    TORCH_CHECK(overwritten == taken.end(), "'", output.string(), "' would overwrite the input '",
                overwritten->second.string(), "'; name another folder");
  }
  return files;
}

}  // namespace limpid
