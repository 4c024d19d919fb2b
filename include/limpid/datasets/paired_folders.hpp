#pragma once

#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/folder_layout.hpp>
#include <limpid/datasets/paired_files.hpp>

#include <filesystem>
#include <string>

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
                              UnpairedFiles* unpaired = nullptr) {
    check_folders("PairedFolders", folder, {"input", "target"});
    return {folder / "input", folder / "target", unpaired};
  }
};

static_assert(PairSource<PairedFolders>);

namespace detail {

/// PATH is FOLDER, or INPUT_DIR,TARGET_DIR.
inline Pairs open_folders(const DataRequest& request) {
  const auto& path = request.argument.path;
  const auto comma = path.find(',');
  if (comma == path.npos) return PairedFolders::inside(path, request.unpaired);
  return PairedFolders{path.substr(0, comma), path.substr(comma + 1), request.unpaired};
}

}  // namespace detail

/// `pairs:PATH`
inline constexpr DataFormat kPairsFormat{
    .path = "a folder with input/ and target/, or INPUT_DIR,TARGET_DIR",
    .open = &detail::open_folders};

}  // namespace limpid
