#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/io/regular_file.hpp>

#include <sys/stat.h>
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/natural_order.hpp>
#include <limpid/io/picture_formats.hpp>
#include <limpid/io/picture_kind.hpp>

#include <c10/util/Exception.h>

#include <cctype>
#include <system_error>
#endif

namespace limpid {

/// ".jpg" of "a/B.JPG".
LIMPID_INLINE std::string lower_extension(const std::filesystem::path& path);

/// Whether a file's name says that it is a picture limpid reads; hidden files are none. What it
/// holds, `list_pictures` finds out.
LIMPID_INLINE bool has_image_name(const std::filesystem::path& path);

/// A file or folder that is no picture limpid can read, and why.
struct PassedOver {
  std::filesystem::path path;
  std::string reason;  ///< "a subfolder", "a TIFF file", "a named pipe", "an empty file" ...
};

/// The pictures of a folder, and what stands beside them.
struct PictureFolder {
  std::vector<std::filesystem::path> pictures;  ///< in natural order: 9.png before 10.png
  std::vector<PassedOver> passed_over;          ///< likewise

  /// One line: "passed over 3 of 8: 2 subfolders ('a', 'b'), a TIFF file ('scan.tif')"; empty where
  /// nothing was passed over.
  std::string summary() const;
};

struct PictureFolderOptions {
  bool is_recursive = false;  ///< with all subfolders, links to folders included
};

namespace detail {

class PictureLister {
 public:
  explicit PictureLister(PictureFolderOptions options) : options_(options) {}

  PictureFolder list(const std::filesystem::path& folder);

 private:
  static const std::string& text(const std::filesystem::path& path);
  static const std::string& text(const PassedOver& one);

  void enter(const std::filesystem::path& folder);

  void look_at(const std::filesystem::directory_entry& entry);

  void pass_over(const std::filesystem::path& path, std::string reason);

  PictureFolderOptions options_;
  PictureFolder found_;
  std::set<std::pair<dev_t, ino_t>> entered_;
};

/// "a TIFF file" -> "2 TIFF files".
LIMPID_INLINE std::string counted(std::size_t count, const std::string& what);

}  // namespace detail

inline std::string PictureFolder::summary() const {
  if (passed_over.empty()) return {};
  std::vector<std::pair<std::string, std::vector<const PassedOver*>>> groups;
  for (const auto& one : passed_over) {
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& other) { return other.first == one.reason; });
    if (group == groups.end()) group = groups.insert(group, {one.reason, {}});
    group->second.push_back(&one);
  }
  constexpr std::size_t kNamed = 3;
  std::string line = "passed over " + std::to_string(passed_over.size()) + " of " +
                     std::to_string(passed_over.size() + pictures.size()) + ":";
  for (const auto& [reason, members] : groups) {
    line += (&reason == &groups.front().first ? " " : ", ") +
            detail::counted(members.size(), reason) + " (";
    for (std::size_t i = 0; i < std::min(kNamed, members.size()); ++i) {
      line += (i > 0 ? ", '" : "'") + printable(members[i]->path.filename().string()) + "'";
    }
    line += members.size() > kNamed ? " ...)" : ")";
  }
  return line;
}

/// The pictures of a folder by what its files hold, whatever they are called: the first 64 bytes of
/// each are read. Hidden files and folders are left out. Pipes, devices and sockets are not opened.
///
/// @throws c10::Error if the folder is missing, is no folder or cannot be read.
LIMPID_INLINE PictureFolder list_pictures(const std::filesystem::path& folder,
                                          PictureFolderOptions options = {});

/// The pictures alone. @throws c10::Error as `list_pictures`, and where there is none; the error
/// says what there is.
LIMPID_INLINE std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::string lower_extension(const std::filesystem::path& path) {
  auto extension = path.extension().string();
  for (auto& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

LIMPID_INLINE bool has_image_name(const std::filesystem::path& path) {
  if (path.filename().string().front() == '.') return false;
  const auto extension = lower_extension(path);
  return std::any_of(kPictureFormats.begin(), kPictureFormats.end(),
                     [&](const auto* format) { return detail::has_extension(*format, extension); });
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE PictureFolder PictureLister::list(const std::filesystem::path& folder) {
  enter(folder);
  const auto by_path = [](const auto& a, const auto& b) { return natural_less(text(a), text(b)); };
  std::sort(found_.pictures.begin(), found_.pictures.end(), by_path);
  std::sort(found_.passed_over.begin(), found_.passed_over.end(), by_path);
  return std::move(found_);
}

LIMPID_INLINE const std::string& PictureLister::text(const std::filesystem::path& path) {
  return path.native();
}

LIMPID_INLINE const std::string& PictureLister::text(const PassedOver& one) {
  return one.path.native();
}

LIMPID_INLINE void PictureLister::enter(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  struct stat found {};
  if (::stat(folder.c_str(), &found) == 0 && !entered_.emplace(found.st_dev, found.st_ino).second)
    return;  // a link back to a folder that has been read
  std::error_code error;
  fs::directory_iterator entry{folder, error};
  for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
    if (entry->path().filename().native().front() != '.') look_at(*entry);
  }
  TORCH_CHECK(!error, "cannot list images in '", folder.string(), "': ", error.message());
}

LIMPID_INLINE void PictureLister::look_at(const std::filesystem::directory_entry& entry) {
  std::error_code ignored;
  if (entry.is_directory(ignored)) {
    if (options_.is_recursive) return enter(entry.path());
    return pass_over(entry.path(), "a subfolder");
  }
  RegularFile file{entry.path()};
  const auto start = file.read(kBytesToKnowAPicture);
  if (!file.problem().empty()) {
    constexpr std::string_view kPrefix = "it is ";
    const auto& problem = file.problem();
    const bool is_sentence = problem.compare(0, kPrefix.size(), kPrefix) == 0;
    return pass_over(entry.path(), is_sentence ? problem.substr(kPrefix.size()) : problem);
  }
  const auto kind = picture_kind(start);
  if (kind.is_readable()) {
    found_.pictures.push_back(entry.path());
  } else {
    pass_over(entry.path(), kind.description);
  }
}

LIMPID_INLINE void PictureLister::pass_over(const std::filesystem::path& path, std::string reason) {
  found_.passed_over.push_back({path, std::move(reason)});
}

LIMPID_INLINE std::string counted(std::size_t count, const std::string& what) {
  if (count == 1) return what;
  auto noun = what;
  for (const std::string article : {"an ", "a "}) {
    if (noun.compare(0, article.size(), article) == 0) noun.erase(0, article.size());
  }
  const auto end = std::min(noun.find(" ("), noun.find(" that "));
  const auto plural =
      std::isalpha(static_cast<unsigned char>(noun.back())) != 0 || end != noun.npos;
  if (plural && what != noun) noun.insert(std::min(end, noun.size()), "s");
  return std::to_string(count) + " " + noun;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE PictureFolder list_pictures(const std::filesystem::path& folder,
                                          PictureFolderOptions options) {
  const auto problem = why_not_regular(folder);
  TORCH_CHECK(problem == "it is a folder", "cannot list images in '", folder.string(),
              "': ", problem.empty() ? "expected a folder, found a file" : problem);
  return detail::PictureLister{options}.list(folder);
}

LIMPID_INLINE std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder) {
  auto found = list_pictures(folder);
  TORCH_CHECK(!found.pictures.empty(), "cannot list images in '", folder.string(), "': found no ",
              readable_formats(), " file",
              found.passed_over.empty() ? "" : " (" + found.summary() + ")");
  return std::move(found.pictures);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
