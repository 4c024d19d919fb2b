#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/path_pattern.hpp>
#include <limpid/datasets/source_pictures.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/core/natural_order.hpp>
#include <limpid/datasets/folder_layout.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

/// Which pictures below a folder are a pair, by their names: two patterns (`PathPattern`) with as
/// many `{}` each. Several inputs may share a target; a picture that fits both patterns is a
/// target.
struct PairRule {
  std::string_view input;      ///< of degraded pictures: "data/{}_s*_a*"
  std::string_view target;     ///< of what they should become: "gt/{}"
  bool spare_targets = false;  ///< targets without an input are published so, and no error
};

namespace detail {

/// A picture that fits a pattern.
struct FittingPicture {
  std::filesystem::path path;
  std::vector<std::string> keys;
  std::string name;
};

/// The pictures of the folders of one rule, each folder listed once.
class RulePictures {
 public:
  RulePictures(std::string component, std::filesystem::path root)
      : component_(std::move(component)), root_(std::move(root)) {}

  /// What fits the pattern and is not in `taken`; what it looked at is kept for `strays`.
  std::vector<FittingPicture> fitting(const PathPattern& pattern,
                                      const std::set<std::filesystem::path>& taken = {});

  /// The pictures in the pattern's folders that fitted no pattern so far.
  std::vector<std::filesystem::path> strays(const PathPattern& pattern);

 private:
  const std::vector<std::filesystem::path>& pictures(const std::filesystem::path& folder);

  std::string component_;
  std::filesystem::path root_;
  std::map<std::filesystem::path, std::vector<std::filesystem::path>> listed_;
  std::set<std::filesystem::path> fitted_;
};

/// Sorted pictures, the first with the first: what rules without `{}` mean.
LIMPID_INLINE std::vector<PairedFile> pair_in_order(const std::string& component,
                                                    const PairRule& rule,
                                                    std::vector<FittingPicture> inputs,
                                                    std::vector<FittingPicture> targets);

/// The targets by what their `{}` stand for.
LIMPID_INLINE std::map<std::vector<std::string>, std::filesystem::path> targets_by_key(
    const std::string& component, const PairRule& rule, const std::vector<FittingPicture>& targets);

/// @param unpaired  takes what is left over, which is an error where null.
LIMPID_INLINE std::vector<PairedFile> pair_by_rule(const std::string& component,
                                                   const std::filesystem::path& root,
                                                   const PairRule& rule, UnpairedFiles* unpaired);

}  // namespace detail

/// Whether the rule can be followed.
/// @throws c10::ValueError that says what was expected.
LIMPID_INLINE void check_rule(const PairRule& rule);

/// The pairs below a folder by a naming rule of yours:
/// `pairs_by_rule("photos", {"{}_blur.png", "{}_sharp.png"})`.
///
/// @param unpaired  where given, takes pictures without a partner and those that fit no pattern,
///                  which else end in an error.
/// @throws c10::ValueError for a rule that cannot be followed; c10::Error that names the folder
/// that
///         is missing, the picture that has no partner or fits no pattern, or two for one place.
LIMPID_INLINE Pairs pairs_by_rule(const std::filesystem::path& folder, const PairRule& rule,
                                  UnpairedFiles* unpaired = nullptr);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::vector<FittingPicture> RulePictures::fitting(
    const PathPattern& pattern, const std::set<std::filesystem::path>& taken) {
  std::vector<FittingPicture> found;
  for (const auto& folder : pattern.folders(component_, root_)) {
    for (const auto& file : pictures(folder.path)) {
      auto keys = folder.keys;
      if (taken.count(file) != 0 || !pattern.fits(file, keys)) continue;
      std::string name = folder.name + file.stem().string();
      if (!pattern.has_star()) {
        name.clear();
        for (const auto& key : keys) name += (name.empty() ? "" : "_") + key;
      }
      fitted_.insert(file);
      found.push_back({file, std::move(keys), std::move(name)});
    }
  }
  return found;
}

LIMPID_INLINE std::vector<std::filesystem::path> RulePictures::strays(const PathPattern& pattern) {
  std::vector<std::filesystem::path> found;
  for (const auto& folder : pattern.folders(component_, root_)) {
    for (const auto& file : pictures(folder.path)) {
      if (fitted_.insert(file).second) found.push_back(file);
    }
  }
  return found;
}

LIMPID_INLINE const std::vector<std::filesystem::path>& RulePictures::pictures(
    const std::filesystem::path& folder) {
  const auto known = listed_.find(folder);
  if (known != listed_.end()) return known->second;
  return listed_.emplace(folder, pictures_or_none(folder)).first->second;
}

LIMPID_INLINE std::vector<PairedFile> pair_in_order(const std::string& component,
                                                    const PairRule& rule,
                                                    std::vector<FittingPicture> inputs,
                                                    std::vector<FittingPicture> targets) {
  TORCH_CHECK(inputs.size() == targets.size(), component, ": expected as many pictures '",
              rule.input, "' as '", rule.target, "', which are paired in their order, found ",
              inputs.size(), " and ", targets.size());
  std::vector<PairedFile> files;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    files.push_back({inputs[i].name, inputs[i].path, targets[i].path});
  }
  return files;
}

LIMPID_INLINE std::map<std::vector<std::string>, std::filesystem::path> targets_by_key(
    const std::string& component, const PairRule& rule,
    const std::vector<FittingPicture>& targets) {
  std::map<std::vector<std::string>, std::filesystem::path> by_key;
  for (const auto& target : targets) {
    const auto [other, is_new] = by_key.emplace(target.keys, target.path);
    TORCH_CHECK(is_new, component, ": '", other->second.string(), "' and '", target.path.string(),
                "' are both the target '", PathPattern{rule.target}.filled(target.keys),
                "', so their pair is not clear");
  }
  return by_key;
}

LIMPID_INLINE std::vector<PairedFile> pair_by_rule(const std::string& component,
                                                   const std::filesystem::path& root,
                                                   const PairRule& rule, UnpairedFiles* unpaired) {
  const PathPattern input{rule.input}, target{rule.target};
  RulePictures pictures{component, root};
  const auto targets = pictures.fitting(target);
  std::set<std::filesystem::path> taken;
  for (const auto& one : targets) taken.insert(one.path);
  const auto inputs = pictures.fitting(input, taken);
  if (input.keys() == 0) return pair_in_order(component, rule, inputs, targets);
  auto by_key = targets_by_key(component, rule, targets);

  const auto leave = [&](const std::filesystem::path& path, const std::string& why,
                         std::vector<std::filesystem::path> UnpairedFiles::*side) {
    TORCH_CHECK(unpaired != nullptr, component, ": '", path.string(), "' ", why, " below '",
                root.string(), "'");
    (unpaired->*side).push_back(path);
  };
  std::vector<PairedFile> files;
  std::map<std::string, std::filesystem::path> names;
  std::set<std::vector<std::string>> used;
  for (const auto& one : inputs) {
    const auto partner = by_key.find(one.keys);
    if (partner == by_key.end()) {
      leave(one.path, "has no partner '" + target.filled(one.keys) + "'", &UnpairedFiles::degraded);
      continue;
    }
    const auto [other, is_new] = names.emplace(one.name, one.path);
    TORCH_CHECK(is_new, component, ": '", other->second.string(), "' and '", one.path.string(),
                "' have the same name, so their pair is not clear");
    used.insert(one.keys);
    files.push_back({one.name, one.path, partner->second});
  }
  for (const auto& [keys, path] : by_key) {
    if (rule.spare_targets || used.count(keys) != 0) continue;
    leave(path, "has no partner '" + input.filled(keys) + "'", &UnpairedFiles::target);
  }
  const auto neither =
      "fits neither '" + input.text() + "' nor '" + target.text() + "', the patterns of pictures";
  for (const auto& path : pictures.strays(input)) leave(path, neither, &UnpairedFiles::degraded);
  if (!rule.spare_targets) {
    for (const auto& path : pictures.strays(target)) leave(path, neither, &UnpairedFiles::target);
  }
  return files;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void check_rule(const PairRule& rule) {
  const PathPattern input{rule.input}, target{rule.target};
  TORCH_CHECK_VALUE(input.keys() > 0 && input.keys() == target.keys(), "expected a '{}' in input='",
                    rule.input, "' for each '{}' in target='", rule.target,
                    "', and one at least, found ", input.keys(), " and ", target.keys());
  TORCH_CHECK_VALUE(rule.input != rule.target, "expected input and target to differ, found '",
                    rule.input, "' for both");
}

LIMPID_INLINE Pairs pairs_by_rule(const std::filesystem::path& folder, const PairRule& rule,
                                  UnpairedFiles* unpaired) {
  check_rule(rule);
  const std::string component = "pairs";
  for (const auto pattern : {rule.input, rule.target}) {
    const auto fixed = PathPattern{pattern}.fixed_folder();
    std::error_code ignored;
    TORCH_CHECK(std::filesystem::is_directory(folder, ignored), component,
                ": expected a folder, found ", describe_folder(folder), " at '", folder.string(),
                "'");
    if (!fixed.empty()) check_folders(component, folder, {fixed});
  }
  auto files = detail::pair_by_rule(component, folder, rule, unpaired);
  TORCH_CHECK(unpaired != nullptr || !files.empty(), component, ": expected pictures '", rule.input,
              "' with '", rule.target, "' in '", folder.string(), "', found ",
              describe_folder(folder));
  return PairedFiles{std::move(files), "pairs '" + std::string{rule.input} + "' and '" +
                                           std::string{rule.target} + "' in '" + folder.string() +
                                           "'"};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
