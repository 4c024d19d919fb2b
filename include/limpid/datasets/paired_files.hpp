#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/datasets/image_pair.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/source_pictures.hpp>
#include <limpid/io/lazy_image.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Pairs of picture files: what the published sets are made of.
class PairedFiles {
 public:
  /// @param most_border  a target that is larger than its degraded picture by at most so many
  ///   pixels in each direction, in all, is cropped to its middle; 0: sizes must be equal.
  PairedFiles(std::vector<PairedFile> files, std::string description, std::int64_t most_border = 0)
      : files_(std::move(files)), description_(std::move(description)), most_border_(most_border) {}

  std::int64_t size() const { return static_cast<std::int64_t>(files_.size()); }
  std::string name(std::int64_t i) const;
  std::string description() const { return description_; }

  /// The paths of pair `i`.
  const PairedFile& file(std::int64_t i) const { return files_[static_cast<std::size_t>(i)]; }

  /// @throws c10::Error that names the file that cannot be read, or both if their sizes differ.
  ImagePair load(std::int64_t i, std::int64_t = 0) const;

  bool makes_parts() const { return true; }

  /// Both files, opened and of equal size but not decoded.
  LazyPair base(std::int64_t i) const;

  ImagePair part(const LazyPair& base, std::int64_t, std::int64_t, const Window& window) const;

 private:
  std::vector<PairedFile> files_;
  std::string description_;
  std::int64_t most_border_;
};

static_assert(PairSource<PairedFiles> && PartwiseSource<PairedFiles>);

/// Pictures that have no partner, collected instead of ending in an error.
struct UnpairedFiles {
  std::vector<std::filesystem::path> degraded;
  std::vector<std::filesystem::path> target;
};

namespace detail {

/// What two file names of a pair have in common; empty for a picture that belongs to no pair.
using PairKey = std::function<std::string(const std::filesystem::path&)>;

LIMPID_INLINE std::string stem_of(const std::filesystem::path& path);

/// The stem without `ending`, where it has it.
LIMPID_INLINE std::string stem_without(const std::filesystem::path& path, std::string_view ending);

LIMPID_INLINE std::map<std::string, std::filesystem::path> images_by_key(
    const std::string& component, const std::vector<std::filesystem::path>& files,
    const PairKey& key);

/// Pairs the pictures of two folders by `degraded_key` and `target_key`.
/// @param unpaired  where given, takes the pictures without a partner.
/// @throws c10::Error that names a missing folder, two files of one name, or, without `unpaired`, a
/// missing partner.
LIMPID_INLINE std::vector<PairedFile> pair_folders(const std::string& component,
                                                   const std::filesystem::path& degraded_folder,
                                                   const std::filesystem::path& target_folder,
                                                   const PairKey& degraded_key,
                                                   const PairKey& target_key,
                                                   UnpairedFiles* unpaired = nullptr);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::string PairedFiles::name(std::int64_t i) const { return file(i).name; }

LIMPID_INLINE ImagePair PairedFiles::load(std::int64_t i, std::int64_t) const {
  return base(i).load();
}

LIMPID_INLINE LazyPair PairedFiles::base(std::int64_t i) const {
  const auto& [name, degraded_path, target_path] = file(i);
  LazyPair pair{LazyImage::open(degraded_path), LazyImage::open(target_path)};
  const auto height = pair.degraded.height();
  const auto width = pair.degraded.width();
  const auto taller = pair.target.height() - height;
  const auto wider = pair.target.width() - width;
  const auto is_border = [&](std::int64_t more) { return 0 <= more && more <= most_border_; };
  TORCH_CHECK(is_border(taller) && is_border(wider), "pair '", name, "': '", degraded_path.string(),
              "' has ", width, " x ", height, " pixels, '", target_path.string(), "' has ",
              pair.target.width(), " x ", pair.target.height());
  pair.target = pair.target.within({taller / 2, wider / 2, height, width});
  return pair;
}

LIMPID_INLINE ImagePair PairedFiles::part(const LazyPair& base, std::int64_t, std::int64_t,
                                          const Window& window) const {
  return base.part(window);
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE std::string stem_of(const std::filesystem::path& path) {
  return path.stem().string();
}

LIMPID_INLINE std::string stem_without(const std::filesystem::path& path, std::string_view ending) {
  auto stem = path.stem().string();
  if (stem.size() > ending.size() && std::string_view{stem}.ends_with(ending)) {
    stem.resize(stem.size() - ending.size());
  }
  return stem;
}

LIMPID_INLINE std::map<std::string, std::filesystem::path> images_by_key(
    const std::string& component, const std::vector<std::filesystem::path>& files,
    const PairKey& key) {
  std::map<std::string, std::filesystem::path> images;
  for (const auto& path : files) {
    auto name = key(path);
    if (name.empty()) continue;
    const auto [found, is_new] = images.emplace(std::move(name), path);
    TORCH_CHECK(is_new, component, ": '", found->second.string(), "' and '", path.string(),
                "' have the same name, so their pair is not clear");
  }
  return images;
}

LIMPID_INLINE std::vector<PairedFile> pair_folders(const std::string& component,
                                                   const std::filesystem::path& degraded_folder,
                                                   const std::filesystem::path& target_folder,
                                                   const PairKey& degraded_key,
                                                   const PairKey& target_key,
                                                   UnpairedFiles* unpaired) {
  const auto degraded = images_by_key(component, source_pictures(degraded_folder), degraded_key);
  const auto target = images_by_key(component, source_pictures(target_folder), target_key);
  const auto find_partners = [&](const auto& images, const auto& others, const auto& folder,
                                 std::vector<std::filesystem::path> UnpairedFiles::*alone) {
    for (const auto& [key, path] : images) {
      if (others.count(key) != 0) continue;
      TORCH_CHECK(unpaired != nullptr, component, ": '", path.string(), "' has no partner in '",
                  folder.string(), "'");
      (unpaired->*alone).push_back(path);
    }
  };
  find_partners(degraded, target, target_folder, &UnpairedFiles::degraded);
  find_partners(target, degraded, degraded_folder, &UnpairedFiles::target);
  std::vector<PairedFile> files;
  for (const auto& [key, path] : degraded) {
    const auto partner = target.find(key);
    if (partner != target.end()) files.push_back({key, path, partner->second});
  }
  return files;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
