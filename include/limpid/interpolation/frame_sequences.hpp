#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/natural_order.hpp>
#include <limpid/io/picture_folder.hpp>
#include <limpid/io/picture_formats.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace limpid {

/// Successive frames of one scene, in the order of time.
struct FrameSequence {
  std::filesystem::path name;  ///< its folder below the one that was read; empty for that itself
  std::vector<std::filesystem::path> frames;
};

namespace detail {

inline bool natural_path_less(const std::filesystem::path& a, const std::filesystem::path& b) {
  return natural_less(a.native(), b.native());
}

/// `folder` and the folders below it, each once: links to folders are followed, and one that leads
/// to a folder that was found before is left out.
inline void collect_folders(const std::filesystem::path& folder,
                            std::set<std::filesystem::path>& found_before,
                            std::vector<std::filesystem::path>& folders) {
  namespace fs = std::filesystem;
  if (!found_before.insert(fs::canonical(folder)).second) return;
  folders.push_back(folder);
  std::vector<fs::path> inner;
  for (const auto& entry : fs::directory_iterator{folder}) {
    std::error_code ignored;  // a link that leads nowhere
    const bool is_hidden = entry.path().filename().native().front() == '.';
    if (!is_hidden && entry.is_directory(ignored)) inner.push_back(entry.path());
  }
  std::sort(inner.begin(), inner.end(), natural_path_less);
  for (const auto& one : inner) collect_folders(one, found_before, folders);
}

}  // namespace detail

/// The sequences in a folder: its own pictures, and those of every folder below it, sorted by name
/// with numbers as numbers. Links to folders are followed; hidden files and folders are left out.
///
/// @throws c10::Error if the folder is missing, is no folder, cannot be read or holds no picture;
///         if two frames of a sequence differ in their extensions only.
inline std::vector<FrameSequence> frame_sequences(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  const auto where = "frames '" + folder.string() + "': ";
  TORCH_CHECK(fs::is_directory(folder), where, "expected a folder, found ",
              fs::exists(folder) ? "a file" : "nothing");
  std::vector<fs::path> folders;
  try {
    std::set<fs::path> found_before;
    detail::collect_folders(folder, found_before, folders);
  } catch (const fs::filesystem_error& error) {
    limpid::fail(where, error.code().message(), ", '", error.path1().string(), "'");
  }
  std::sort(folders.begin(), folders.end(), detail::natural_path_less);
  std::vector<FrameSequence> sequences;
  for (const auto& one : folders) {
    FrameSequence sequence{one == folder ? fs::path{} : one.lexically_relative(folder),
                           list_pictures(one).pictures};
    if (sequence.frames.empty()) continue;
    for (std::size_t i = 1; i < sequence.frames.size(); ++i) {
      TORCH_CHECK(sequence.frames[i].stem() != sequence.frames[i - 1].stem(), where,
                  "expected one picture for each frame, found '", sequence.frames[i - 1].string(),
                  "' and '", sequence.frames[i].string(), "'");
    }
    sequences.push_back(std::move(sequence));
  }
  TORCH_CHECK(!sequences.empty(), where, "expected ", readable_formats(), " files, found none");
  return sequences;
}

}  // namespace limpid
