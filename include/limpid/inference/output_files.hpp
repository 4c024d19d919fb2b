#pragma once

#include <limpid/core/check.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_folder.hpp>
#include <limpid/io/picture_formats.hpp>

#include <c10/util/Exception.h>

#include <sys/stat.h>
#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace limpid {

/// A picture to work on.
struct InputPicture {
  std::filesystem::path file;
  std::filesystem::path root;  ///< the folder that was named for it; its own where it was itself
};

/// A picture, and the file that what is made of it goes to.
struct OutputFile {
  std::filesystem::path input;
  std::filesystem::path output;
};

namespace detail {

/// What two names of one file have in common, links included; {0, 0} where there is no file.
inline std::pair<dev_t, ino_t> file_identity(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {0, 0};
  return {found.st_dev, found.st_ino};
}

/// The name of an output, made longer until no other has it.
class OutputName {
 public:
  explicit OutputName(const InputPicture& picture)
      : stem_(picture.file.stem().string()), name_(picture.file.filename().string()) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const auto root =
        fs::weakly_canonical(fs::absolute(picture.root.empty() ? "." : picture.root), ignored);
    for (const auto& part : root.relative_path()) folders_.push_back(part);
    const auto below = picture.file.parent_path().lexically_relative(picture.root);
    if (below != "." && !below.empty()) tree_ = below;
  }

  const std::string& file_name() const { return name_; }

  std::filesystem::path with(const std::string& extension) const {
    std::filesystem::path path;
    for (auto i = folders_.size() - used_; i < folders_.size(); ++i) path /= folders_[i];
    return path / tree_ / ((keeps_extension_ ? name_ : stem_) + extension);
  }

  void keep_extension() { keeps_extension_ = true; }

  /// @return whether there was one more folder to name.
  bool name_folder() { return used_ < folders_.size() && ++used_ > 0; }

 private:
  std::string stem_, name_;
  std::filesystem::path tree_;
  std::vector<std::filesystem::path> folders_;
  std::size_t used_ = 0;
  bool keeps_extension_ = false;
};

/// Names that differ: see `plan_outputs`.
inline std::vector<std::filesystem::path> output_names(const std::vector<InputPicture>& pictures,
                                                       const std::string& extension) {
  std::vector<OutputName> names{pictures.begin(), pictures.end()};
  while (true) {
    std::map<std::filesystem::path, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < names.size(); ++i) groups[names[i].with(extension)].push_back(i);
    if (groups.size() == names.size()) break;
    for (const auto& [name, group] : groups) {
      if (group.size() == 1) continue;
      std::set<std::string> files;
      for (const auto i : group) files.insert(names[i].file_name());
      const bool extensions_differ = files.size() == group.size();
      bool changed = false;
      for (const auto i : group) {
        const auto before = names[i].with(extension);
        if (extensions_differ) names[i].keep_extension();
        if (!extensions_differ || names[i].with(extension) == before) names[i].name_folder();
        changed = changed || names[i].with(extension) != before;
      }
      TORCH_CHECK(changed, "'", pictures[group[0]].file.string(), "' and '",
                  pictures[group[1]].file.string(), "' would both be written to '", name.string(),
                  "'");
    }
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& name : names) paths.push_back(name.with(extension));
  return paths;
}

/// The pictures, each once, under whatever path it was named twice.
inline std::vector<InputPicture> each_once(const std::vector<InputPicture>& pictures) {
  std::vector<InputPicture> once;
  std::set<std::filesystem::path> seen;
  for (const auto& picture : pictures) {
    std::error_code ignored;
    const auto folder = picture.file.parent_path();
    const auto whole = std::filesystem::weakly_canonical(
                           std::filesystem::absolute(folder.empty() ? "." : folder), ignored) /
                       picture.file.filename();
    if (seen.insert(whole).second) once.push_back(picture);
  }
  return once;
}

}  // namespace detail

/// Where the results for pictures go: `folder`/NAME`extension`, in the order of the inputs; those
/// from below a named folder keep their place below it: `folder`/SUB/NAME`extension`.
///
/// Two pictures never share a result. Where IMG.jpg and IMG.bmp would, their results are
/// IMG.jpg.png and IMG.bmp.png; where pictures of one name come from two folders, as much of their
/// folders' names as tells them apart comes first: cam1/IMG_0001.png and cam2/IMG_0001.png.
///
/// @param folder     need not exist
/// @param extension  with its dot: ".png"
/// @throws c10::Error before anything is written: a result would overwrite an input, under whatever
///         name or link.
inline std::vector<OutputFile> plan_outputs(const std::vector<InputPicture>& pictures,
                                            const std::filesystem::path& folder,
                                            const std::string& extension) {
  const auto inputs = detail::each_once(pictures);
  const auto names = detail::output_names(inputs, extension);
  std::map<std::pair<dev_t, ino_t>, std::filesystem::path> taken;
  for (const auto& input : inputs) taken.emplace(detail::file_identity(input.file), input.file);
  taken.erase({0, 0});
  std::vector<OutputFile> files;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    files.push_back({inputs[i].file, folder / names[i]});
    const auto& output = files.back().output;
    const auto overwritten = taken.find(detail::file_identity(output));
    TORCH_CHECK(overwritten == taken.end(), "'", output.string(), "' would overwrite the input '",
                overwritten->second.string(), "'; name another folder");
  }
  return files;
}

/// What the names of results that lie beside their inputs end in: "photo.restored.jpg".
inline constexpr std::string_view kRestoredMark = ".restored";

/// Whether a file is called as a result beside its input, which a walk through a folder may meet.
inline bool is_called_restored(const std::filesystem::path& file) {
  return file.stem().extension() == kRestoredMark;
}

/// Where the results for pictures go that lie beside them: photo.jpg -> photo.restored.jpg, in the
/// order of the inputs. A picture of a kind that limpid reads and does not write becomes a PNG.
/// Where two would be one, the whole names tell them apart: IMG.jpg.restored.png.
///
/// @param extension  with its dot, ".png", for all of them; empty: each as its input
/// @throws c10::Error before anything is written: a result would overwrite an input or another.
inline std::vector<OutputFile> plan_outputs_beside(const std::vector<InputPicture>& pictures,
                                                   const std::string& extension = {}) {
  const auto inputs = detail::each_once(pictures);
  std::map<std::pair<dev_t, ino_t>, std::filesystem::path> taken;
  for (const auto& input : inputs) taken.emplace(detail::file_identity(input.file), input.file);
  taken.erase({0, 0});
  const auto named = [&](const std::filesystem::path& file, bool whole) {
    auto ending = extension;
    if (ending.empty()) {
      const auto own = lower_extension(file);
      ending = detail::format_written_as(own) != nullptr ? file.extension().string() : ".png";
    }
    const auto name = whole ? file.filename() : file.stem();
    return file.parent_path() / (name.string() + std::string{kRestoredMark} + ending);
  };
  std::map<std::filesystem::path, int> wanted;
  for (const auto& input : inputs) ++wanted[named(input.file, false).lexically_normal()];
  std::vector<OutputFile> files;
  std::set<std::filesystem::path> given;
  for (const auto& input : inputs) {
    auto output = named(input.file, false);
    if (wanted[output.lexically_normal()] > 1) output = named(input.file, true);
    const auto overwritten = taken.find(detail::file_identity(output));
    TORCH_CHECK(overwritten == taken.end(), "'", output.string(), "' would overwrite the input '",
                overwritten->second.string(), "'; name a folder with --out");
    TORCH_CHECK(given.insert(output.lexically_normal()).second, "two results would be '",
                output.string(), "'; name a folder with --out");
    files.push_back({input.file, std::move(output)});
  }
  return files;
}

/// `plan_outputs` for files and folders whose pictures are meant (`list_images`).
/// @throws c10::Error also if a folder holds no picture.
inline std::vector<OutputFile> plan_output_files(const std::vector<std::filesystem::path>& inputs,
                                                 const std::filesystem::path& folder,
                                                 const std::string& extension) {
  std::vector<InputPicture> pictures;
  for (const auto& input : inputs) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(input, ignored)) {
      pictures.push_back({input, input.parent_path()});
      continue;
    }
    for (const auto& file : list_images(input)) pictures.push_back({file, input});
  }
  return plan_outputs(pictures, folder, extension);
}

}  // namespace limpid
