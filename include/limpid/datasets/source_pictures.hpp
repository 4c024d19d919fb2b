#pragma once

#include <limpid/core/compiled.hpp>

#include <filesystem>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/io/picture_folder.hpp>
#include <limpid/io/picture_losses.hpp>

#include <system_error>
#endif

namespace limpid::detail {

/// The pictures of a folder of a data set, by what the files hold. Files that are no picture are
/// noted in `PictureLosses::of_process()`, so that a program says once how many there were and of
/// which kinds; subfolders are not, since sets have some.
///
/// @throws c10::Error if the folder is missing, is no folder or cannot be read.
LIMPID_INLINE std::vector<std::filesystem::path> pictures_or_none(
    const std::filesystem::path& folder);

/// The same, where there must be some.
/// @throws c10::Error that also says what there is in place of pictures.
LIMPID_INLINE std::vector<std::filesystem::path> source_pictures(
    const std::filesystem::path& folder);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::vector<std::filesystem::path> pictures_or_none(
    const std::filesystem::path& folder) {
  auto found = list_pictures(folder);
  for (const auto& [path, reason] : found.passed_over) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) continue;
    PictureLosses::of_process().add({"passed over, " + reason}, path.string());
  }
  return std::move(found.pictures);
}

LIMPID_INLINE std::vector<std::filesystem::path> source_pictures(
    const std::filesystem::path& folder) {
  auto pictures = pictures_or_none(folder);
  return pictures.empty() ? list_images(folder) : pictures;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
