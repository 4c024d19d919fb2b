#pragma once

// Which files limpid-restore reads, and where each result goes.

#include <limpid/core/fail.hpp>
#include <limpid/inference/output_files.hpp>
#include <limpid/io/picture_folder.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "../lies_in.hpp"
#include "../program.hpp"
#include "compare.hpp"

namespace examples {

/// The command line of a batch of files.
struct BatchPlan {
  std::vector<std::filesystem::path> images;
  std::filesystem::path out;  ///< empty: results lie beside their pictures
  std::string format;         ///< empty: that of each picture, in `out` a PNG
  bool recursive = false, overwrite = false, skip_existing = false;
};

inline std::string others(std::size_t count) {
  return count == 0   ? ""
         : count == 1 ? " and another"
                      : " and " + std::to_string(count) + " others";
}

/// Whether a file lies in the folder that results go to, which a walk through a tree may meet.
inline bool is_result(const std::filesystem::path& file, const std::filesystem::path& root,
                      const BatchPlan& plan) {
  return !lies_in(root, plan.out) && lies_in(file.parent_path(), plan.out);
}

/// Refuses to write results where pictures are read: a later run would take them for pictures.
inline void check_apart(const BatchPlan& plan, const std::vector<limpid::OutputFile>& files) {
  if (plan.out.empty()) return;  // there a result is told by its name
  std::set<std::filesystem::path> places;
  for (const auto& file : files) places.insert(file.output.parent_path());
  for (const auto& image : plan.images) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(image, ignored)) continue;
    if (plan.recursive && !lies_in(image, plan.out)) continue;  // `is_result` sees to it
    for (const auto& place : places) {
      const bool is_read = plan.recursive ? lies_in(place, image)
                                          : std::filesystem::equivalent(place, image, ignored);
      TORCH_CHECK(!is_read, "--out: results would lie among the pictures of '", image.string(),
                  "', and a later run take them for pictures; name another folder");
    }
  }
}

/// Which files are read, and where each result goes. What is passed over in folders is said once.
inline std::vector<limpid::OutputFile> files_of(const BatchPlan& plan) {
  std::vector<limpid::InputPicture> pictures;
  for (const auto& image : plan.images) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(image, ignored)) {
      pictures.push_back({image, image.parent_path()});
      continue;
    }
    const auto found = limpid::list_pictures(image, {.is_recursive = plan.recursive});
    const auto said = found.summary();
    if (!said.empty()) complain("limpid-restore: '" + image.string() + "': " + said);
    TORCH_CHECK(!found.pictures.empty(), "'", image.string(), "': expected pictures, found none");
    for (const auto& file : found.pictures) {
      const bool is_own =
          plan.out.empty() ? is_made_by_us(file) : plan.recursive && is_result(file, image, plan);
      if (!is_own) pictures.push_back({file, image});
    }
  }
  const auto ending = plan.format.empty() ? "" : "." + plan.format;
  if (plan.out.empty()) return limpid::plan_outputs_beside(pictures, ending);
  return limpid::plan_outputs(pictures, plan.out, ending.empty() ? ".png" : ending);
}

inline bool is_there(const limpid::OutputFile& file) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(file.output, ignored));
}

/// @throws c10::Error if something is there that would be written over.
inline void check_new(const BatchPlan& plan, const std::vector<limpid::OutputFile>& files) {
  if (plan.overwrite || plan.skip_existing) return;
  const auto first = std::find_if(files.begin(), files.end(), is_there);
  if (first == files.end()) return;
  const auto count = static_cast<std::size_t>(std::count_if(first, files.end(), is_there));
  limpid::fail(plan.out.empty() ? "'" : "--out: '", first->output.string(), "'", others(count - 1),
               count == 1 ? " is" : " are", " there already; name ",
               plan.out.empty() ? "a folder with --out" : "another folder",
               ", --overwrite to replace, or --skip-existing to go on with the rest");
}

}  // namespace examples
