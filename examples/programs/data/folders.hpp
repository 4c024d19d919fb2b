#pragma once

// Files and folders, as the subcommands of limpid-data use them.

#include <limpid/io/image.hpp>
#include <limpid/io/make_folder.hpp>
#include <limpid/io/picture_folder.hpp>

#include <c10/util/Exception.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "../lies_in.hpp"
#include "../program.hpp"

namespace examples {

namespace fs = std::filesystem;

/// FNV-1a: the same on every machine, unlike std::hash.
inline std::uint64_t hash_of(const std::string& text) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const unsigned char byte : text) value = (value ^ byte) * 0x100000001b3;
  return value;
}

/// Stops where what is written to OUTPUT_DIR would lie among what is read.
/// @param name   what names the folder that is read
/// @param rooms  the subfolders that are written; "": OUTPUT_DIR itself
inline void check_apart(const fs::path& output, const std::string& name, const fs::path& input,
                        const std::vector<fs::path>& rooms = {""}) {
  for (const auto& room : rooms) {
    if (!lies_in(output / room, input)) continue;
    throw UsageError("OUTPUT_DIR: expected a folder that keeps off " + name + ", found '" +
                     output.string() + "'");
  }
}

/// A folder or file as a record names it: the same from wherever it is named.
inline std::string whole_path(const fs::path& path) {
  std::error_code error;
  const auto whole = fs::weakly_canonical(path, error);
  return (error ? path : whole).string();
}

/// The files' names, as a record names them: of another photograph under a name that stays, such as
/// IMG.png in place of IMG.jpg, something else is made.
template <class Named>
std::vector<std::string> file_names(const Named& files) {
  std::vector<std::string> names;
  for (const auto& [name, file] : files) names.push_back(file.filename().string());
  return names;
}

inline void make_folder(const fs::path& folder) { limpid::make_folder("OUTPUT_DIR", folder); }

/// The pictures of a folder by their names without extension; with it where two differ by it alone,
/// IMG.jpg and IMG.bmp.
inline std::map<std::string, fs::path> pictures_by_name(const std::string& what,
                                                        const fs::path& folder) {
  TORCH_CHECK(fs::is_directory(folder), what, ": expected a folder of pictures, found ",
              fs::exists(folder) ? "a file" : "nothing", " at '", folder.string(), "'");
  const auto files = limpid::list_images(folder);
  std::map<std::string, int> stems;
  for (const fs::path& file : files) ++stems[file.stem().string()];
  std::map<std::string, fs::path> pictures;
  for (const fs::path& file : files) {
    const bool is_alone = stems.at(file.stem().string()) == 1;
    const auto name = is_alone ? file.stem() : file.filename();
    const auto [other, is_new] = pictures.emplace(name.string(), file);
    TORCH_CHECK(is_new, what, ": expected names that differ, found '",
                other->second.filename().string(), "' and '", file.filename().string(), "' in '",
                folder.string(), "'");
  }
  TORCH_CHECK(!pictures.empty(), what, ": expected a folder of pictures, found none in '",
              folder.string(), "'");
  return pictures;
}

}  // namespace examples
