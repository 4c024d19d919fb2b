#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/source_pictures.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/datasets/folder_layout.hpp>
#include <limpid/io/image.hpp>

#include <c10/util/Exception.h>

#include <set>
#endif

namespace limpid {

/// The RESIDE dehazing set: many hazy pictures share one clear one. A pair is called like its hazy
/// picture, the clear one like the part of that name before its first '_', or exactly like it:
///
/// | part         | hazy                        | clear        |
/// | ITS          | ITS/hazy/1_1_0.90179.png    | clear/1.png  |
/// | OTS          | OTS/hazy/0001_0.8_0.2.jpg   | clear/0001.jpg |
/// | SOTS indoor  | SOTS/indoor/hazy/1400_1.png | gt/1400.png  |
/// | SOTS outdoor | SOTS/outdoor/hazy/0001_0.8_0.2.jpg | gt/0001.png |
///
/// The releases differ in their folders' names, and most of those are known: hazy or haze; clear,
/// gt or GT; ITS/train/ITS_haze; OTS_BETA/haze/part1; SOTS/indoor/nyuhaze500. A clear picture may
/// be up to 32 pixels larger in each direction (10 on each side in SOTS indoor): its middle counts.
/// Clear pictures without a hazy one are left out, as the published OTS has some.
///
/// Source: Li et al., "Benchmarking Single-Image Dehazing and Beyond", IEEE TIP 2019.
class RESIDE {
 public:
  /// @param unpaired  where given, takes hazy pictures without a clear one, which else end in an
  ///   error, and clear ones without a hazy one.
  explicit RESIDE(std::filesystem::path root, UnpairedFiles* unpaired = nullptr)
      : root_(std::move(root)), unpaired_(unpaired) {}

  /// Indoor training set, 13990 pairs of 1399 scenes.
  Pairs its() const;
  /// Indoor validation set, of the releases that have one.
  Pairs its_val() const;
  /// Outdoor training set, 72135 pairs of 2061 scenes.
  Pairs ots() const;
  /// Indoor test set, 500 pairs of 50 scenes.
  Pairs sots_indoor() const;
  /// Outdoor test set, 500 pairs of 492 scenes.
  Pairs sots_outdoor() const;
  /// ROOT/train/{hazy,GT}, as many repositories repack it; ITS where there is no such folder.
  Pairs train() const;
  /// ROOT/test/{hazy,GT}; SOTS indoor where there is no such folder.
  Pairs test() const;
  /// ROOT itself holds hazy/ and clear/.
  Pairs all() const;

 private:
  static const std::vector<std::string>& hazy_names();
  static const std::vector<std::string>& clear_names();

  bool repacked(const std::string& name) const;

  /// The first of `candidates` that has both folders.
  Pairs part(const std::string& name, const std::vector<std::string>& candidates) const;

  /// The pictures of a folder, or of its subfolders where it has none itself (part1, part2, ...).
  static std::vector<std::filesystem::path> pictures(const std::filesystem::path& folder);

  std::vector<PairedFile> pair(const std::filesystem::path& hazy_folder,
                               const std::filesystem::path& clear_folder) const;

  static constexpr std::int64_t kMostBorder = 32;
  std::filesystem::path root_;
  UnpairedFiles* unpaired_;
};

namespace detail {

LIMPID_INLINE Pairs open_reside(const DataRequest& request);

}  // namespace detail

/// `reside:PATH`
inline constexpr DataFormat kRESIDEFormat{
    .path =
        "the folder with ITS/, OTS/ and SOTS/, or with train/ and test/, each with hazy/ and "
        "clear/ (or gt/); train is ITS and test SOTS indoor where there are no folders of "
        "these names; all: PATH itself has hazy/ and clear/",
    .parts = "train test its its_val ots sots_indoor sots_outdoor all",
    .training_part = "train",
    .evaluation_part = "test",
    .open = &detail::open_reside};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Pairs RESIDE::its() const {
  return part("ITS", {"ITS", "ITS_v2", "ITS/train", "ITS_v2/train"});
}

LIMPID_INLINE Pairs RESIDE::its_val() const { return part("ITS val", {"ITS/val", "ITS_v2/val"}); }

LIMPID_INLINE Pairs RESIDE::ots() const {
  return part("OTS", {"OTS", "OTS_ALPHA", "OTS_BETA", "OTS/train"});
}

LIMPID_INLINE Pairs RESIDE::sots_indoor() const {
  return part("SOTS indoor", {"SOTS/indoor", "SOTS/indoor/nyuhaze500", "SOTS/nyuhaze500", "indoor",
                              "indoor/nyuhaze500", "nyuhaze500"});
}

LIMPID_INLINE Pairs RESIDE::sots_outdoor() const {
  return part("SOTS outdoor", {"SOTS/outdoor", "outdoor"});
}

LIMPID_INLINE Pairs RESIDE::train() const {
  return repacked("train") ? part("train", {"train"}) : its();
}

LIMPID_INLINE Pairs RESIDE::test() const {
  return repacked("test") ? part("test", {"test"}) : sots_indoor();
}

LIMPID_INLINE Pairs RESIDE::all() const { return part("all", {""}); }

LIMPID_INLINE const std::vector<std::string>& RESIDE::hazy_names() {
  static const std::vector<std::string> names{"hazy", "haze", "ITS_haze"};
  return names;
}

LIMPID_INLINE const std::vector<std::string>& RESIDE::clear_names() {
  static const std::vector<std::string> names{"clear", "gt", "GT", "ITS_clear"};
  return names;
}

LIMPID_INLINE bool RESIDE::repacked(const std::string& name) const {
  return !first_folder(root_ / name, hazy_names()).empty();
}

LIMPID_INLINE Pairs RESIDE::part(const std::string& name,
                                 const std::vector<std::string>& candidates) const {
  std::filesystem::path half;
  for (const auto& candidate : candidates) {
    const auto folder = candidate.empty() ? root_ : root_ / candidate;
    const auto hazy = first_folder(folder, hazy_names());
    const auto clear = first_folder(folder, clear_names());
    if (!hazy.empty() && !clear.empty()) {
      return PairedFiles{pair(hazy, clear), "RESIDE '" + root_.string() + "' (" + name + ")",
                         kMostBorder};
    }
    if (half.empty() && !(hazy.empty() && clear.empty())) half = folder;
  }
  const auto folder = half.empty() ? first_folder(root_, candidates) : half;
  TORCH_CHECK(!folder.empty(), "RESIDE: expected a folder ",
              candidates.size() == 1 ? "" : "of one of the names ", quoted_list(candidates),
              " for ", name, " in '", root_.string(), "', found ", describe_folder(root_));
  limpid::fail("RESIDE: expected folders 'hazy' (or ",
               quoted_list({hazy_names().begin() + 1, hazy_names().end()}), ") and 'clear' (or ",
               quoted_list({clear_names().begin() + 1, clear_names().end()}), ") in '",
               folder.string(), "', found ", describe_folder(folder));
}

LIMPID_INLINE std::vector<std::filesystem::path> RESIDE::pictures(
    const std::filesystem::path& folder) {
  const auto inner = subfolders("RESIDE", folder);
  auto files = detail::pictures_or_none(folder);
  if (!files.empty()) return files;
  if (inner.empty()) return list_images(folder);
  for (const auto& one : inner) {
    const auto more = detail::source_pictures(one);
    files.insert(files.end(), more.begin(), more.end());
  }
  return files;
}

LIMPID_INLINE std::vector<PairedFile> RESIDE::pair(
    const std::filesystem::path& hazy_folder, const std::filesystem::path& clear_folder) const {
  const auto hazy = detail::images_by_key("RESIDE", pictures(hazy_folder), detail::stem_of);
  const auto clear = detail::images_by_key("RESIDE", pictures(clear_folder), detail::stem_of);
  std::vector<PairedFile> files;
  std::set<std::string> used;
  for (const auto& [stem, path] : hazy) {
    auto partner = clear.find(stem);
    if (partner == clear.end()) partner = clear.find(stem.substr(0, stem.find('_')));
    if (partner != clear.end()) {
      used.insert(partner->first);
      files.push_back({stem, path, partner->second});
      continue;
    }
    TORCH_CHECK(unpaired_ != nullptr, "RESIDE: '", path.string(), "' has no partner '", stem,
                "' or '", stem.substr(0, stem.find('_')), "' in '", clear_folder.string(), "'");
    unpaired_->degraded.push_back(path);
  }
  if (unpaired_ != nullptr) {
    for (const auto& [stem, path] : clear) {
      if (used.count(stem) == 0) unpaired_->target.push_back(path);
    }
  }
  return files;
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE Pairs open_reside(const DataRequest& request) {
  const RESIDE set{request.argument.path, request.unpaired};
  const auto part = request.part;
  return part == "train"         ? set.train()
         : part == "test"        ? set.test()
         : part == "its"         ? set.its()
         : part == "its_val"     ? set.its_val()
         : part == "ots"         ? set.ots()
         : part == "sots_indoor" ? set.sots_indoor()
         : part == "all"         ? set.all()
                                 : set.sots_outdoor();
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
