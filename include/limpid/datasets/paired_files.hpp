#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <c10/util/Exception.h>

#include <limpid/datasets/pairs.hpp>
#include <limpid/io/image.hpp>

namespace limpid {

/// Two picture files and what their pair is called.
struct PairedFile {
  std::string name;
  std::filesystem::path degraded;
  std::filesystem::path target;
};

/// Pairs of picture files: what the published sets are made of.
class PairedFiles {
 public:
  PairedFiles(std::vector<PairedFile> files, std::string description)
      : files_(std::move(files)), description_(std::move(description)) {}

  std::int64_t size() const { return static_cast<std::int64_t>(files_.size()); }
  std::string name(std::int64_t i) const { return file(i).name; }
  std::string description() const { return description_; }

  /// The paths of pair `i`.
  const PairedFile& file(std::int64_t i) const { return files_[static_cast<std::size_t>(i)]; }

  /// @throws c10::Error that names the file that cannot be read, or both if their sizes differ.
  ImagePair load(std::int64_t i, std::int64_t = 0) const {
    const auto& [name, degraded_path, target_path] = file(i);
    ImagePair pair{Image::load(degraded_path), Image::load(target_path)};
    TORCH_CHECK(pair.degraded.height() == pair.target.height() &&
                    pair.degraded.width() == pair.target.width(),
                "pair '", name, "': '", degraded_path.string(), "' has ", pair.degraded.width(),
                " x ", pair.degraded.height(), " pixels, '", target_path.string(), "' has ",
                pair.target.width(), " x ", pair.target.height());
    return pair;
  }

 private:
  std::vector<PairedFile> files_;
  std::string description_;
};

namespace detail {

/// What two file names of a pair have in common.
using PairKey = std::function<std::string(const std::filesystem::path&)>;

inline std::map<std::string, std::filesystem::path> images_by_key(
    const std::string& component, const std::filesystem::path& folder, const PairKey& key) {
  std::map<std::string, std::filesystem::path> images;
  for (auto& path : list_images(folder)) {
    const auto [found, is_new] = images.emplace(key(path), path);
    TORCH_CHECK(is_new, component, ": '", found->second.string(), "' and '", path.string(),
                "' have the same name, so their pair is not clear");
  }
  return images;
}

/// Pairs the pictures of two folders by `degraded_key` and `target_key`.
/// @throws c10::Error that names a missing folder, a missing partner, or two files of one name.
inline std::vector<PairedFile> pair_folders(const std::string& component,
                                            const std::filesystem::path& degraded_folder,
                                            const std::filesystem::path& target_folder,
                                            const PairKey& degraded_key,
                                            const PairKey& target_key) {
  const auto degraded = images_by_key(component, degraded_folder, degraded_key);
  const auto target = images_by_key(component, target_folder, target_key);
  const auto check_partner = [&](const auto& images, const auto& others, const auto& folder) {
    for (const auto& [key, path] : images) {
      TORCH_CHECK(others.count(key) != 0, component, ": '", path.string(), "' has no partner in '",
                  folder.string(), "'");
    }
  };
  check_partner(degraded, target, target_folder);
  check_partner(target, degraded, degraded_folder);
  std::vector<PairedFile> files;
  for (const auto& [key, path] : degraded) files.push_back({key, path, target.at(key)});
  return files;
}

inline std::string stem_of(const std::filesystem::path& path) { return path.stem().string(); }

/// What a folder holds, for errors: "'train', 'test'", "nothing", "no such folder".
inline std::string describe_folder(const std::filesystem::path& folder) {
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

/// Stops where a published set lacks a folder: "GoPro: expected folders 'train' ... in 'PATH',
/// found ...".
inline void check_folders(const std::string& component, const std::filesystem::path& folder,
                          const std::vector<std::string>& expected) {
  std::error_code ignored;
  for (const auto& name : expected) {
    if (std::filesystem::is_directory(folder / name, ignored)) continue;
    std::string all;
    for (const auto& one : expected) all += (all.empty() ? "'" : ", '") + one + "'";
    TORCH_CHECK(false, component, ": expected ", expected.size() == 1 ? "a folder " : "folders ",
                all, " in '", folder.string(), "', found ", describe_folder(folder));
  }
}

}  // namespace detail
}  // namespace limpid
