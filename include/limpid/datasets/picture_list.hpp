#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/image_pair.hpp>
#include <limpid/datasets/pair_rule.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/datasets/path_pattern.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#endif

namespace limpid {

/// What a line of a list of pictures names.
enum class ListLine {
  input,             ///< the degraded picture; a rule says what its target is called
  target_and_input,  ///< both, with a space between
};

namespace detail {

/// The list of this name in `root` or beside it; an empty path where there is none.
LIMPID_INLINE std::filesystem::path find_list(const std::filesystem::path& root,
                                              std::string_view name);

/// `written` below `root`: as a list writes it, or with the first of its folders left out, since
/// lists begin at a folder of their authors; an empty path where no file is there.
LIMPID_INLINE std::filesystem::path find_listed(const std::filesystem::path& root,
                                                std::string written);

/// The target of a listed input by the first rule that gives one; else the names that were tried.
LIMPID_INLINE std::pair<std::filesystem::path, std::string> target_of(
    const std::filesystem::path& root, const std::filesystem::path& input,
    const std::vector<PairRule>& rules);

/// Calls each pair as its input; where two have one name, with those folders that not all have.
LIMPID_INLINE void name_by_input(const std::filesystem::path& root, std::vector<PairedFile>& pairs);

/// The pairs that a list names.
LIMPID_INLINE std::vector<PairedFile> listed_pairs(const std::string& component,
                                                   const std::filesystem::path& root,
                                                   std::string_view list, ListLine kind,
                                                   const std::vector<PairRule>& rules);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::filesystem::path find_list(const std::filesystem::path& root,
                                              std::string_view name) {
  std::error_code ignored;
  const auto absolute = std::filesystem::absolute(root, ignored).lexically_normal();
  const auto folder = absolute.has_filename() ? absolute : absolute.parent_path();
  for (const auto& place : {root / name, folder.parent_path() / name}) {
    if (std::filesystem::is_regular_file(place, ignored)) return place;
  }
  return {};
}

LIMPID_INLINE std::filesystem::path find_listed(const std::filesystem::path& root,
                                                std::string written) {
  std::error_code ignored;
  while (!written.empty()) {
    const auto path = std::filesystem::path{written}.relative_path();
    bool climbs = false;
    for (const auto& piece : path) climbs = climbs || piece == "..";
    if (!climbs && std::filesystem::is_regular_file(root / path, ignored)) return root / path;
    const auto slash = written.find('/');
    written = slash == written.npos ? std::string{} : written.substr(slash + 1);
  }
  return {};
}

LIMPID_INLINE std::pair<std::filesystem::path, std::string> target_of(
    const std::filesystem::path& root, const std::filesystem::path& input,
    const std::vector<PairRule>& rules) {
  std::string tried;
  std::error_code ignored;
  for (const auto& rule : rules) {
    const PathPattern from{rule.input}, to{rule.target};
    for (const auto& folder : from.folders("list", root)) {
      auto keys = folder.keys;
      if (!std::filesystem::equivalent(folder.path, input.parent_path(), ignored) ||
          !from.fits(input, keys)) {
        continue;
      }
      const auto name = to.filled(keys);
      for (const auto* extension : {"", ".png", ".jpg", ".jpeg", ".bmp"}) {
        auto path = root / (name + extension);
        if (std::filesystem::is_regular_file(path, ignored)) return {path, {}};
      }
      tried += (tried.empty() ? "'" : ", '") + name + "'";
    }
  }
  return {{}, tried};
}

LIMPID_INLINE void name_by_input(const std::filesystem::path& root,
                                 std::vector<PairedFile>& pairs) {
  std::map<std::string, int> stems;
  const auto folders_of = [&](const PairedFile& pair) {
    std::vector<std::string> folders;
    for (const auto& folder : pair.degraded.lexically_relative(root).parent_path()) {
      folders.push_back(folder.string());
    }
    return folders;
  };
  auto shared = pairs.empty() ? std::vector<std::string>{} : folders_of(pairs.front());
  for (const auto& pair : pairs) {
    ++stems[pair.degraded.stem().string()];
    const auto folders = folders_of(pair);
    const auto same = std::mismatch(shared.begin(), shared.end(), folders.begin(), folders.end());
    shared.erase(same.first, shared.end());
  }
  for (auto& pair : pairs) {
    pair.name = pair.degraded.stem().string();
    if (stems.at(pair.name) == 1) continue;
    const auto folders = folders_of(pair);
    for (auto i = folders.size(); i-- > shared.size();) pair.name = folders[i] + "_" + pair.name;
  }
}

LIMPID_INLINE std::vector<PairedFile> listed_pairs(const std::string& component,
                                                   const std::filesystem::path& root,
                                                   std::string_view list, ListLine kind,
                                                   const std::vector<PairRule>& rules) {
  const auto path = find_list(root, list);
  std::ifstream file{path};
  TORCH_CHECK(file.good(), component, ": cannot read list '", path.string(), "'");
  std::vector<PairedFile> pairs;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::istringstream words{line};
    std::string first, second, more;
    words >> first >> second >> more;
    if (first.empty()) continue;
    const auto where =
        component + ": line " + std::to_string(number) + " of '" + path.string() + "'";
    const bool has_both = kind == ListLine::target_and_input;
    TORCH_CHECK(second.empty() != has_both && more.empty(), where, ": expected ",
                has_both ? "the paths of a sharp and a blurred picture" : "the path of one picture",
                ", found '", printable(line, 120), "'");
    const auto found = [&](const std::string& written) {
      auto there = find_listed(root, written);
      TORCH_CHECK(!there.empty(), where, ": expected a file '", printable(written, 200),
                  "' below '", root.string(), "', found none");
      return there;
    };
    const auto input = found(has_both ? second : first);
    if (has_both) {
      pairs.push_back({{}, input, found(first)});
      continue;
    }
    auto [target, tried] = target_of(root, input, rules);
    TORCH_CHECK(!target.empty(), where, ": '", input.string(), "' has no partner ",
                tried.empty() ? "by the set's names" : tried, " below '", root.string(), "'");
    pairs.push_back({{}, input, target});
  }
  TORCH_CHECK(!pairs.empty(), component, ": expected pictures in list '", path.string(),
              "', found none");
  name_by_input(root, pairs);
  return pairs;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
