#pragma once

#include <limpid/core/errors.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_folder.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/default_metrics.hpp>
#include <limpid/metrics/scores.hpp>

#include <c10/util/Exception.h>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// The pictures of a folder by the stem of their names, or by the whole name where two share a
/// stem; `notes` gets a line of what is none.
inline std::map<std::string, std::filesystem::path> pictures_to_compare(
    const std::filesystem::path& folder, std::vector<std::string>& notes) {
  const auto listed = list_pictures(folder);
  if (listed.pictures.empty()) list_images(folder);  // an error that says what there is
  if (!listed.passed_over.empty()) notes.push_back(folder.string() + ": " + listed.summary());
  std::map<std::string, int> stems;
  for (const auto& path : listed.pictures) ++stems[path.stem().string()];
  std::map<std::string, std::filesystem::path> pictures;
  for (const auto& path : listed.pictures) {
    const bool is_alone = stems.at(path.stem().string()) == 1;
    const auto name = (is_alone ? path.stem() : path.filename()).string();
    const auto [place, is_new] = pictures.emplace(name, path);
    TORCH_CHECK(is_new, "compare: expected names that differ, found '", place->second.string(),
                "' and '", path.string(), "'");
  }
  return pictures;
}

inline void check_partners(const std::map<std::string, std::filesystem::path>& pictures,
                           const std::map<std::string, std::filesystem::path>& partners,
                           const std::filesystem::path& folder,
                           const std::vector<std::string>& notes) {
  std::size_t missing = 0;
  const std::filesystem::path* first = nullptr;
  for (const auto& [stem, path] : pictures) {
    if (partners.count(stem) != 0) continue;
    if (missing++ == 0) first = &path;
  }
  if (missing == 0) return;
  const auto others =
      missing == 1 ? std::string{} : ", and for " + std::to_string(missing - 1) + " more";
  std::string passed_over;
  for (const auto& note : notes) passed_over += "; " + note;
  limpid::fail("compare: no partner for '", first->string(), "' in '", folder.string(), "'", others,
               passed_over);
}

/// Scores one picture, or adds it as failed where it cannot be read or compared.
inline void add_compared(Comparison& comparison, const std::string& name,
                         const std::filesystem::path& path, const std::filesystem::path& partner) {
  try {
    const auto image = Image::load(path), target = Image::load(partner);
    TORCH_CHECK(image.height() == target.height() && image.width() == target.width(), "'",
                path.string(), "' is ", image.width(), " x ", image.height(), ", '",
                partner.string(), "' is ", target.width(), " x ", target.height(), " pixels");
    comparison.add(name, image.unit(), target.unit());
  } catch (const std::exception& error) {
    comparison.add_failed(name, error_text(error));
  }
}

}  // namespace detail

/// How far a comparison is.
struct ComparedPicture {
  std::size_t index = 0;  ///< from 0
  std::size_t count = 0;  ///< of all pictures
  const std::string& name;
};

/// Scores every picture of one folder against the picture of the same name in another; extensions
/// may differ. Where two pictures of a folder differ by their extension alone, IMG.jpg and IMG.bmp,
/// it is part of the name: that of IMG.jpg.png, as limpid-restore calls the result of the first.
///
/// What is no picture by what it holds is passed over, with a line in `notes`. A score that a
/// picture cannot have is left out, with the reason (`PictureScores`). A picture that cannot be
/// read or compared has no score and says why (`Comparison::Image::error`); the others go on.
///
/// @param each  called after each picture, to show progress; may be empty
/// @throws c10::Error that names the files: a partner is missing on either side, two pictures have
///         one name, or there is none.
inline Comparison compare_folders(const std::filesystem::path& restored_folder,
                                  const std::filesystem::path& target_folder,
                                  std::vector<AnyMetric> metrics = default_metrics(),
                                  const std::function<void(const ComparedPicture&)>& each = {}) {
  Comparison comparison{std::move(metrics)};
  const auto restored = detail::pictures_to_compare(restored_folder, comparison.notes);
  const auto targets = detail::pictures_to_compare(target_folder, comparison.notes);
  detail::check_partners(restored, targets, target_folder, comparison.notes);
  detail::check_partners(targets, restored, restored_folder, comparison.notes);

  for (const auto& [stem, path] : restored) {
    detail::add_compared(comparison, stem, path, targets.at(stem));
    if (each) each({comparison.images.size() - 1, restored.size(), stem});
  }
  return comparison;
}

}  // namespace limpid
