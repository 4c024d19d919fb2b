#pragma once

#include <limpid/core/compiled.hpp>

#include <filesystem>
#include <string>
#include <vector>

// Where the folders of a published set are, and what to say where they are not.

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <system_error>
#endif

namespace limpid {

/// What a folder holds, for errors: "'train', 'test'", "nothing", "no such folder".
LIMPID_INLINE std::string describe_folder(const std::filesystem::path& folder);

/// "'a', 'b'"
LIMPID_INLINE std::string quoted_list(const std::vector<std::string>& names);

/// Stops where a published set lacks a folder: "GoPro: expected folders 'train' ... in 'PATH',
/// found ...".
LIMPID_INLINE void check_folders(const std::string& component, const std::filesystem::path& folder,
                                 const std::vector<std::string>& expected);

/// The subfolders of a folder, sorted by name, hidden ones left out.
/// @throws c10::Error if it cannot be listed.
LIMPID_INLINE std::vector<std::filesystem::path> subfolders(const std::string& component,
                                                            const std::filesystem::path& folder);

/// The first of `candidates`, paths below `root` ("" is `root` itself), that is a folder; an empty
/// path where none is.
LIMPID_INLINE std::filesystem::path first_folder(const std::filesystem::path& root,
                                                 const std::vector<std::string>& candidates);

/// The same, where one must be there.
/// @throws c10::Error that names the candidates and what `root` holds in place of them.
LIMPID_INLINE std::filesystem::path required_folder(const std::string& component,
                                                    const std::filesystem::path& root,
                                                    const std::vector<std::string>& candidates);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::string describe_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return fs::exists(folder, error) ? "a file" : "no such folder";
  }
  std::vector<std::string> names;
  fs::directory_iterator entry{folder, error};
  for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
    names.push_back("'" + entry->path().filename().string() + "'");
  }
  if (error) return error.message();
  if (names.empty()) return "nothing";
  std::sort(names.begin(), names.end());
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  return names.size() > kShown ? text + " and " + std::to_string(names.size() - kShown) + " more"
                               : text;
}

LIMPID_INLINE std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

LIMPID_INLINE void check_folders(const std::string& component, const std::filesystem::path& folder,
                                 const std::vector<std::string>& expected) {
  std::error_code ignored;
  for (const auto& name : expected) {
    if (std::filesystem::is_directory(folder / name, ignored)) continue;
    limpid::fail(component, ": expected ", expected.size() == 1 ? "a folder " : "folders ",
                 quoted_list(expected), " in '", folder.string(), "', found ",
                 describe_folder(folder));
  }
}

LIMPID_INLINE std::vector<std::filesystem::path> subfolders(const std::string& component,
                                                            const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::vector<fs::path> found;
  std::error_code error;
  fs::directory_iterator entry{folder, error};
  for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
    std::error_code ignored;
    const auto hidden = entry->path().filename().string().front() == '.';
    if (!hidden && entry->is_directory(ignored)) found.push_back(entry->path());
  }
  TORCH_CHECK(!error, component, ": cannot list '", folder.string(), "': ", error.message());
  std::sort(found.begin(), found.end());
  return found;
}

LIMPID_INLINE std::filesystem::path first_folder(const std::filesystem::path& root,
                                                 const std::vector<std::string>& candidates) {
  std::error_code ignored;
  for (const auto& candidate : candidates) {
    auto folder = candidate.empty() ? root : root / candidate;
    if (std::filesystem::is_directory(folder, ignored)) return folder;
  }
  return {};
}

LIMPID_INLINE std::filesystem::path required_folder(const std::string& component,
                                                    const std::filesystem::path& root,
                                                    const std::vector<std::string>& candidates) {
  auto folder = first_folder(root, candidates);
  TORCH_CHECK(!folder.empty(), component, ": expected a folder ",
              candidates.size() == 1 ? "" : "of one of the names ", quoted_list(candidates),
              " in '", root.string(), "', found ", describe_folder(root));
  return folder;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
