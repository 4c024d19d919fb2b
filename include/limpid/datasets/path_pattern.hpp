#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/datasets/folder_layout.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Where pictures lie below a folder: "hazy/{}_*", "{}/blur/{}.png". In each part of the path
///  - `{}` stands for one letter or more that a pair's two pictures have in common, as few as fit;
///  - `*` stands for anything, or nothing, that they need not have in common.
/// A last part without a '.' leaves the extension open.
class PathPattern {
 public:
  /// A folder of the pattern that is there.
  struct Folder {
    std::filesystem::path path;
    std::vector<std::string> keys;
    std::string name;  ///< its parts that are no fixed names, with '_' behind each
  };

  /// @throws c10::ValueError for an empty pattern, an absolute one, or a part that is empty, "." or
  ///         "..".
  explicit PathPattern(std::string_view text);

  const std::string& text() const { return text_; }

  /// How many `{}` there are.
  std::size_t keys() const;

  bool has_star() const;

  /// The pattern with `keys` in place of each `{}`.
  std::string filled(const std::vector<std::string>& keys) const;

  /// The fixed folders at its beginning; empty where there are none.
  std::string fixed_folder() const;

  /// The folders below `root` that the pattern looks into, sorted; none where none is there.
  std::vector<Folder> folders(const std::string& component,
                              const std::filesystem::path& root) const;

  /// Whether a file in one of `folders` fits; adds to `keys` what its `{}` stand for.
  bool fits(const std::filesystem::path& file, std::vector<std::string>& keys) const;

 private:
  static bool is_fixed(std::string_view part);

  static void go_deeper(const std::string& component, const Folder& folder, const std::string& part,
                        std::vector<Folder>& deeper);

  /// Whether `text` fits `pattern`; each `{}` and `*` as short as can be.
  static bool match(std::string_view pattern, std::string_view text,
                    std::vector<std::string>& keys);

  std::string text_;
  std::vector<std::string> parts_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE PathPattern::PathPattern(std::string_view text) : text_(text) {
  for (auto rest = text;;) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    TORCH_CHECK_VALUE(!part.empty() && part != "." && part != "..", "pattern '", text,
                      "': expected a path below the folder, such as 'input/{}.png'");
    parts_.emplace_back(part);
    if (slash == rest.npos) break;
    rest.remove_prefix(slash + 1);
  }
}

LIMPID_INLINE std::size_t PathPattern::keys() const {
  std::size_t count = 0;
  for (auto at = text_.find("{}"); at != text_.npos; at = text_.find("{}", at + 2)) ++count;
  return count;
}

LIMPID_INLINE bool PathPattern::has_star() const { return text_.find('*') != text_.npos; }

LIMPID_INLINE std::string PathPattern::filled(const std::vector<std::string>& keys) const {
  auto text = text_;
  std::size_t at = 0;
  for (const auto& key : keys) {
    at = text.find("{}", at);
    if (at == text.npos) break;
    text.replace(at, 2, key);
    at += key.size();
  }
  return text;
}

LIMPID_INLINE std::string PathPattern::fixed_folder() const {
  std::string folder;
  for (std::size_t i = 0; i + 1 < parts_.size() && is_fixed(parts_[i]); ++i) {
    folder += (i > 0 ? "/" : "") + parts_[i];
  }
  return folder;
}

LIMPID_INLINE std::vector<PathPattern::Folder> PathPattern::folders(
    const std::string& component, const std::filesystem::path& root) const {
  std::vector<Folder> found{{root, {}, {}}};
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    std::vector<Folder> deeper;
    for (const auto& folder : found) go_deeper(component, folder, parts_[i], deeper);
    found = std::move(deeper);
  }
  return found;
}

LIMPID_INLINE bool PathPattern::fits(const std::filesystem::path& file,
                                     std::vector<std::string>& keys) const {
  const auto& last = parts_.back();
  const auto name = last.find('.') == last.npos ? file.stem().string() : file.filename().string();
  return match(last, name, keys);
}

LIMPID_INLINE bool PathPattern::is_fixed(std::string_view part) {
  return part.find("{}") == part.npos && part.find('*') == part.npos;
}

LIMPID_INLINE void PathPattern::go_deeper(const std::string& component, const Folder& folder,
                                          const std::string& part, std::vector<Folder>& deeper) {
  std::error_code ignored;
  if (is_fixed(part)) {
    if (std::filesystem::is_directory(folder.path / part, ignored)) {
      deeper.push_back({folder.path / part, folder.keys, folder.name});
    }
    return;
  }
  if (!std::filesystem::is_directory(folder.path, ignored)) return;
  for (const auto& inner : subfolders(component, folder.path)) {
    const auto name = inner.filename().string();
    auto keys = folder.keys;
    if (match(part, name, keys)) {
      deeper.push_back({inner, std::move(keys), folder.name + name + "_"});
    }
  }
}

LIMPID_INLINE bool PathPattern::match(std::string_view pattern, std::string_view text,
                                      std::vector<std::string>& keys) {
  while (!pattern.empty() && pattern.front() != '*' && !pattern.starts_with("{}")) {
    if (text.empty() || text.front() != pattern.front()) return false;
    pattern.remove_prefix(1);
    text.remove_prefix(1);
  }
  if (pattern.empty()) return text.empty();
  const bool is_key = pattern.front() != '*';
  const auto rest = pattern.substr(is_key ? 2 : 1);
  for (std::size_t length = is_key ? 1 : 0; length <= text.size(); ++length) {
    if (is_key) keys.emplace_back(text.substr(0, length));
    if (match(rest, text.substr(length), keys)) return true;
    if (is_key) keys.pop_back();
  }
  return false;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
