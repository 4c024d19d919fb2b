#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/pair_rule.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/picture_list.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/datasets/folder_layout.hpp>

#include <c10/util/Exception.h>

#include <system_error>
#endif

namespace limpid {

/// Where the pairs of one part of a published set lie.
struct LayoutPart {
  std::string_view part;       ///< its name behind '@'; one part may have several lines: what
                               ///< releases differ in, tried in this order
  PairRule rule;               ///< where its pictures are; of a list, how targets are called
  std::string_view list = {};  ///< the file that names its pictures, one pair a line
  ListLine line = ListLine::input;
};

/// A published set, as a table: its folders, lists and names. What a new set needs is such a table,
/// a `DataFormat` and a line in `kDataFormats`.
struct PublishedLayout {
  std::string_view name;              ///< as its authors call it, for errors
  std::span<const LayoutPart> parts;  ///< in the order of the documentation
};

namespace detail {

/// The folders that must be there for a line of the table; a list asks for its file alone.
LIMPID_INLINE bool lies_below(const std::filesystem::path& root, const LayoutPart& part);

/// "'RealBlur_J_train_list.txt'", or "'low/{}' with 'high/{}'": what a line of the table looks for.
LIMPID_INLINE std::string wanted(const LayoutPart& part);

/// Where the first folder or list is missing that a line of the table needs, and what is there.
struct MissingFolder {
  std::filesystem::path inside;
  std::string text{};
  std::size_t depth = 0;  ///< how many folders of the line are there

  static MissingFolder of(const std::filesystem::path& root, const LayoutPart& part);
};

/// The lines of the table that `part` has and that lie below `root`.
LIMPID_INLINE std::vector<LayoutPart> lines_of(const PublishedLayout& layout, std::string_view part,
                                               const std::filesystem::path& root);

/// `root`, or the folder inside it where an archive was unpacked into folders of its own: the first
/// one in which a line of the table fits, as long as each has one subfolder only.
LIMPID_INLINE std::filesystem::path unpacked(const PublishedLayout& layout, std::string_view part,
                                             const std::filesystem::path& root);

}  // namespace detail

/// The pairs of a part of a published set.
///
/// @param root      the folder of the table's paths, or one around it that an archive brought along
/// @param unpaired  where given, takes pictures without a partner, which else end in an error.
/// @throws c10::ValueError for an unknown part; c10::Error that says what was expected where and
///         what was found: a folder, a list, a file that a list names, a partner.
LIMPID_INLINE Pairs published_pairs(const PublishedLayout& layout,
                                    const std::filesystem::path& root, std::string_view part,
                                    UnpairedFiles* unpaired = nullptr);

namespace detail {

template <const PublishedLayout& Layout>
Pairs open_layout(const DataRequest& request) {
  return published_pairs(Layout, request.argument.path, request.part, request.unpaired);
}

}  // namespace detail

/// The format of a published set on the command line.
/// @param path   what PATH is, for `--help`
/// @param parts  all of the table's, between spaces
template <const PublishedLayout& Layout>
constexpr DataFormat published_format(std::string_view path, std::string_view parts,
                                      std::string_view training, std::string_view evaluation) {
  return {.path = path,
          .parts = parts,
          .training_part = training,
          .evaluation_part = evaluation,
          .open = &detail::open_layout<Layout>};
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE bool lies_below(const std::filesystem::path& root, const LayoutPart& part) {
  namespace fs = std::filesystem;
  if (!part.list.empty()) return !find_list(root, part.list).empty();
  std::error_code ignored;
  for (const auto pattern : {part.rule.input, part.rule.target}) {
    if (!fs::is_directory(root / PathPattern{pattern}.fixed_folder(), ignored)) return false;
    if (PathPattern{pattern}.folders("layout", root).empty()) return false;
  }
  return true;
}

LIMPID_INLINE std::string wanted(const LayoutPart& part) {
  if (!part.list.empty()) return "the list '" + std::string{part.list} + "'";
  return "'" + std::string{part.rule.input} + "' with '" + std::string{part.rule.target} + "'";
}

LIMPID_INLINE MissingFolder MissingFolder::of(const std::filesystem::path& root,
                                              const LayoutPart& part) {
  MissingFolder missing{root};
  std::error_code ignored;
  for (const auto pattern : {part.rule.input, part.rule.target}) {
    if (!part.list.empty()) break;
    missing.inside = root;
    for (const auto& name : std::filesystem::path{PathPattern{pattern}.fixed_folder()}) {
      if (!std::filesystem::is_directory(missing.inside / name, ignored)) {
        missing.text = "no folder '" + name.string() + "'";
        return missing;
      }
      missing.inside /= name;
      ++missing.depth;
    }
  }
  missing.text = part.list.empty() ? "no such pictures" : "no such list";
  return missing;
}

LIMPID_INLINE std::vector<LayoutPart> lines_of(const PublishedLayout& layout, std::string_view part,
                                               const std::filesystem::path& root) {
  std::vector<LayoutPart> lines;
  for (const auto& line : layout.parts) {
    if (line.part == part && lies_below(root, line)) lines.push_back(line);
  }
  return lines;
}

LIMPID_INLINE std::filesystem::path unpacked(const PublishedLayout& layout, std::string_view part,
                                             const std::filesystem::path& root) {
  constexpr int kDeepest = 6;
  auto folder = root;
  std::error_code ignored;
  for (int depth = 0; depth < kDeepest && std::filesystem::is_directory(folder, ignored); ++depth) {
    if (!lines_of(layout, part, folder).empty()) return folder;
    const auto inner = subfolders(std::string{layout.name}, folder);
    if (inner.size() != 1) break;
    folder = inner.front();
  }
  return root;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE Pairs published_pairs(const PublishedLayout& layout,
                                    const std::filesystem::path& root, std::string_view part,
                                    UnpairedFiles* unpaired) {
  const std::string component{layout.name};
  std::string expected;
  for (const auto& line : layout.parts) {
    if (line.part == part) expected += (expected.empty() ? "" : ", or ") + detail::wanted(line);
  }
  TORCH_CHECK_VALUE(!expected.empty(), component, ": unknown part '", part, "'");
  const auto folder = detail::unpacked(layout, part, root);
  const auto lines = detail::lines_of(layout, part, folder);
  auto description = component + " '" + folder.string() + "'";
  if (!part.empty()) description += " (" + std::string{part} + ")";
  const LayoutPart* nearest = nullptr;  // has pairs, and pictures that are none
  for (const auto& line : lines) {
    if (!line.list.empty()) {
      std::vector<PairRule> rules;  // of all lines that go by this list
      for (const auto& other : lines) {
        if (other.list == line.list) rules.push_back(other.rule);
      }
      return PairedFiles{detail::listed_pairs(component, folder, line.list, line.line, rules),
                         description};
    }
    UnpairedFiles left;
    const bool in_order = PathPattern{line.rule.input}.keys() == 0;
    if (in_order && nearest != nullptr) continue;  // some names are equal, so all should be
    auto files = detail::pair_by_rule(component, folder, line.rule, &left);
    if (!files.empty() && left.degraded.empty() && left.target.empty()) {
      return PairedFiles{std::move(files), description};
    }
    if (!files.empty() && nearest == nullptr) nearest = &line;
  }
  if (nearest != nullptr) {  // once more, for its error or the caller's list of what is left over
    return PairedFiles{detail::pair_by_rule(component, folder, nearest->rule, unpaired),
                       description};
  }
  // No pair at all: of folders that hold pictures, the error names the first without a partner.
  for (const auto& line : lines) {
    if (line.list.empty()) detail::pair_by_rule(component, folder, line.rule, unpaired);
  }
  detail::MissingFolder missing{root};
  for (const auto& line : layout.parts) {
    if (line.part != part) continue;
    auto here = detail::MissingFolder::of(folder, line);
    if (missing.text.empty() || here.depth > missing.depth) missing = std::move(here);
  }
  limpid::fail(component, ": expected ", expected, " in '", root.string(), "'; there is ",
               missing.text, " in '", missing.inside.string(), "', found ",
               describe_folder(missing.inside));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
