#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/paired_files.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#ifdef LIMPID_BODIES
#include <limpid/datasets/folder_layout.hpp>
#include <limpid/datasets/pair_rule.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

/// Pairs from two folders: pictures with equal stems belong together, extensions may differ.
///
/// @throws c10::Error if a folder is missing or holds no picture, a picture has no partner, or two
/// in one folder have the same stem. Unequal sizes are an error when the pair is loaded.
class PairedFolders : public PairedFiles {
 public:
  /// @param unpaired  where given, takes pictures without a partner, which else end in an error.
  PairedFolders(const std::filesystem::path& degraded_folder,
                const std::filesystem::path& target_folder, UnpairedFiles* unpaired = nullptr)
      : PairedFiles(detail::pair_folders("PairedFolders", degraded_folder, target_folder,
                                         detail::stem_of, detail::stem_of, unpaired),
                    "paired folders '" + degraded_folder.string() + "' and '" +
                        target_folder.string() + "'") {}

  /// FOLDER/input and FOLDER/target, as `limpid-data degrade` writes them.
  static PairedFolders inside(const std::filesystem::path& folder,
                              UnpairedFiles* unpaired = nullptr);
};

static_assert(PairSource<PairedFolders>);

namespace detail {

/// The rule of "DIR,input=PATTERN,target=PATTERN"; nothing where the path has neither.
struct NamingRule {
  std::string folder;
  std::string input;
  std::string target;

  static std::optional<NamingRule> of(const std::string& path);
};

/// PATH is FOLDER, or INPUT_DIR,TARGET_DIR, or FOLDER,input=PATTERN,target=PATTERN.
LIMPID_INLINE Pairs open_folders(const DataRequest& request);

}  // namespace detail

/// `pairs:PATH`
inline constexpr DataFormat kPairsFormat{
    .path =
        "a folder with input/ and target/, or INPUT_DIR,TARGET_DIR, or names by a rule: "
        "DIR,input={}_blur.png,target={}_sharp.png, where {} is what two names have in common and "
        "* anything else: input=rain/{}_*,target=clean/{}",
    .open = &detail::open_folders,
    .check = [](const DataArgument& argument) { detail::NamingRule::of(argument.path); }};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE PairedFolders PairedFolders::inside(const std::filesystem::path& folder,
                                                  UnpairedFiles* unpaired) {
  check_folders("PairedFolders", folder, {"input", "target"});
  return {folder / "input", folder / "target", unpaired};
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE std::optional<NamingRule> NamingRule::of(const std::string& path) {
  const auto input = path.find(",input="), target = path.find(",target=");
  if (input == path.npos && target == path.npos) return std::nullopt;
  TORCH_CHECK_VALUE(input != path.npos && target != path.npos,
                    "expected both ,input=PATTERN and ,target=PATTERN, found the ",
                    input == path.npos ? "target" : "input", " alone");
  const auto value = [&](std::size_t at, std::size_t other, std::size_t name) {
    const auto end = other > at ? other : path.size();
    return path.substr(at + name, end - at - name);
  };
  NamingRule rule{path.substr(0, std::min(input, target)), value(input, target, 7),
                  value(target, input, 8)};
  TORCH_CHECK_VALUE(!rule.folder.empty(), "expected a folder before ,input= and ,target=");
  check_rule({rule.input, rule.target});
  return rule;
}

LIMPID_INLINE Pairs open_folders(const DataRequest& request) {
  const auto& path = request.argument.path;
  if (const auto rule = NamingRule::of(path)) {
    return pairs_by_rule(rule->folder, {rule->input, rule->target}, request.unpaired);
  }
  const auto comma = path.find(',');
  if (comma == path.npos) return PairedFolders::inside(path, request.unpaired);
  return PairedFolders{path.substr(0, comma), path.substr(comma + 1), request.unpaired};
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
