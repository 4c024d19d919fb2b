#pragma once

#include <algorithm>
#include <filesystem>

namespace examples {

/// Whether `path` is `folder` or lies somewhere in it, links followed.
inline bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto plain = [](const std::filesystem::path& given) {
    const auto whole =
        std::filesystem::weakly_canonical(std::filesystem::absolute(given.empty() ? "." : given));
    return whole.has_filename() ? whole : whole.parent_path();
  };
  const auto inner = plain(path);
  const auto outer = plain(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace examples
