#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/pair_split.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/pairs.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/utf8.hpp>
#include <limpid/datasets/folder_layout.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <map>
#endif

namespace limpid {

/// How the NYU part of D-HAZY is split.
struct DHazyOptions {
  std::uint64_t seed = 0;                 ///< of the split that is drawn where no file is given
  std::filesystem::path split_file = {};  ///< a split that `split_to_file` wrote; empty: draw one
  UnpairedFiles* unpaired = nullptr;  ///< takes pictures without a partner, which else are errors
};

/// The D-HAZY dehazing set as published: ROOT/NYU_Hazy/N_Hazy.bmp with ROOT/NYU_GT/N_Image_.bmp
/// (the depths N_Depth_.bmp beside them are left alone), 1449 pairs of 640 x 480, and
/// ROOT/Middlebury_Hazy/NAME_Hazy.bmp with ROOT/Middlebury_GT/NAME_im0.png, 23 pairs. PNG and JPEG
/// copies of these names are read too. A pair is called N, or NAME.
///
/// The papers train on 1000 random NYU pairs and test on the other 449, and never published which:
/// numbers on D-HAZY depend on that split. limpid's own follows from the seed and the names alone;
/// of a folder with another count, 1000 of 1449 parts are for training.
///
/// Source: Ancuti, Ancuti and De Vleeschouwer, "D-HAZY: A Dataset to Evaluate Quantitatively
/// Dehazing Algorithms", ICIP 2016.
class DHazy {
 public:
  explicit DHazy(std::filesystem::path root, DHazyOptions options = {})
      : root_(std::move(root)), options_(std::move(options)) {}

  /// @throws c10::Error that says what was expected where and what was found.
  Pairs train() const;
  /// @throws c10::Error that says what was expected where and what was found.
  Pairs test() const;
  /// The whole NYU part.
  Pairs all() const;
  /// The Middlebury part.
  Pairs middlebury() const;

  /// The split that `train` and `test` go by.
  PairSplit split() const;

  /// Writes that split as JSON, to be given back as `DHazyOptions::split_file`.
  void split_to_file(const std::filesystem::path& path) const;

 private:
  std::string description(const std::string& what) const;

  std::vector<PairedFile> files(const std::string& source, std::string_view target_ending) const;

  PairSplit split_of(const std::vector<PairedFile>& pairs) const;

  Pairs part(const std::string& name, std::vector<std::string> PairSplit::*names) const;

  std::filesystem::path root_;
  DHazyOptions options_;
};

namespace detail {

/// PATH is FOLDER, or FOLDER,SPLIT_FILE.
LIMPID_INLINE Pairs open_dhazy(const DataRequest& request);

}  // namespace detail

/// `dhazy:PATH`
inline constexpr DataFormat kDHazyFormat{
    .path =
        "the folder with NYU_Hazy/ and NYU_GT/, split at random with seed 0, or "
        "FOLDER,SPLIT_FILE with a file of limpid-data dhazy-split",
    .parts = "train test all middlebury",
    .training_part = "train",
    .evaluation_part = "test",
    .open = &detail::open_dhazy};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Pairs DHazy::train() const { return part("train", &PairSplit::train); }

LIMPID_INLINE Pairs DHazy::test() const { return part("test", &PairSplit::test); }

LIMPID_INLINE Pairs DHazy::all() const {
  return PairedFiles{files("NYU", "_Image_"), description("NYU")};
}

LIMPID_INLINE Pairs DHazy::middlebury() const {
  return PairedFiles{files("Middlebury", "_im0"), description("Middlebury")};
}

LIMPID_INLINE PairSplit DHazy::split() const { return split_of(files("NYU", "_Image_")); }

LIMPID_INLINE void DHazy::split_to_file(const std::filesystem::path& path) const {
  split().write(path);
}

LIMPID_INLINE std::string DHazy::description(const std::string& what) const {
  return "D-HAZY '" + root_.string() + "' (" + what + ")";
}

LIMPID_INLINE std::vector<PairedFile> DHazy::files(const std::string& source,
                                                   std::string_view target_ending) const {
  const auto folder = [&](const std::string& name) {
    const auto found = required_folder("D-HAZY", root_, {name, "D-HAZY_DATASET/" + name});
    const auto again = found / name;  // an archive unpacked into a folder of its own name
    return std::filesystem::is_directory(again) ? again : found;
  };
  const auto target_key = [target_ending](const std::filesystem::path& path) {
    const auto stem = path.stem().string();
    for (const std::string_view depth : {"_Depth_", "_Depth", "_depth"}) {
      if (stem.ends_with(depth)) return std::string{};
    }
    return detail::stem_without(path, target_ending);
  };
  const auto hazy_key = [](const std::filesystem::path& path) {
    return detail::stem_without(path, "_Hazy");
  };
  const auto hazy = folder(source + "_Hazy");
  const auto target = folder(source + "_GT");
  return detail::pair_folders("D-HAZY", hazy, target, hazy_key, target_key, options_.unpaired);
}

LIMPID_INLINE PairSplit DHazy::split_of(const std::vector<PairedFile>& pairs) const {
  if (!options_.split_file.empty()) return PairSplit::read(options_.split_file);
  TORCH_CHECK(pairs.size() >= 2, "D-HAZY: expected at least 2 pairs to split in '", root_.string(),
              "', found ", pairs.size());
  std::vector<std::string> names;
  for (const auto& pair : pairs) names.push_back(pair.name);
  const auto count = static_cast<std::int64_t>(names.size());
  const auto train = std::clamp<std::int64_t>((2 * 1000 * count + 1449) / (2 * 1449), 1, count - 1);
  return PairSplit::draw("D-HAZY, NYU part", std::move(names), train, options_.seed);
}

LIMPID_INLINE Pairs DHazy::part(const std::string& name,
                                std::vector<std::string> PairSplit::*names) const {
  const auto pairs = files("NYU", "_Image_");
  std::map<std::string, const PairedFile*> by_name;
  for (const auto& pair : pairs) by_name.emplace(as_utf8(pair.name), &pair);
  const auto split = split_of(pairs);
  std::vector<PairedFile> kept;
  for (const auto& wanted : split.*names) {
    const auto found = by_name.find(wanted);
    TORCH_CHECK(found != by_name.end(), "D-HAZY: expected pair '", wanted, "', which split file '",
                options_.split_file.string(), "' names, in '", root_.string(), "', found ",
                pairs.size(), " others");
    kept.push_back(*found->second);
  }
  const auto how = options_.split_file.empty()
                       ? "seed " + std::to_string(options_.seed)
                       : "split file '" + options_.split_file.string() + "'";
  return PairedFiles{std::move(kept), description("NYU, " + name + " of " + how)};
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE Pairs open_dhazy(const DataRequest& request) {
  const auto& path = request.argument.path;
  const auto comma = path.find(',');
  DHazyOptions options{.unpaired = request.unpaired};
  if (comma != path.npos) options.split_file = path.substr(comma + 1);
  const DHazy set{path.substr(0, comma), options};
  return request.part == "train"  ? set.train()
         : request.part == "test" ? set.test()
         : request.part == "all"  ? set.all()
                                  : set.middlebury();
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
