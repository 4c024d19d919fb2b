#pragma once

// Pictures before and after, to look at.

#include <limpid/core/progress_line.hpp>
#include <limpid/inference/output_files.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image.hpp>
#include <limpid/report/picture_strip.hpp>
#include <limpid/report/slide_page.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace examples {

/// What --compare asks for.
struct Comparison {
  bool is_wanted = false;
  std::filesystem::path page;  ///< where all go; empty: a picture beside each result
  std::vector<std::filesystem::path> pictures;  ///< words behind the option that are no page
};

/// Adds --compare [PAGE.html]. A word behind it that is no page is a picture to restore, so that
/// `--compare photo.jpg` reads as it looks.
inline void add_compare(CLI::App& app, Comparison& comparison) {
  app.add_option_function<std::string>(
         "--compare",
         [&](const std::string& word) {
           comparison.is_wanted = true;
           if (std::filesystem::path{word}.extension() == ".html") {
             comparison.page = word;
           } else if (!word.empty()) {
             comparison.pictures.emplace_back(word);
           }
         },
         "Show before and after: side by side as NAME.compare.jpg beside each result, or all on "
         "one page with sliders, for any browser")
      ->expected(0, 1)
      ->type_name("[PAGE.html]");
}

/// Where the comparison for a result goes.
inline std::filesystem::path comparison_of(const std::filesystem::path& result) {
  return result.parent_path() / (result.stem().string() + ".compare.jpg");
}

/// Whether a file is called as results beside their pictures are, or comparisons.
inline bool is_made_by_us(const std::filesystem::path& file) {
  return limpid::is_called_restored(file) ||
         (file.extension() == ".jpg" && file.stem().extension() == ".compare");
}

/// Before and after side by side, at most what a JPEG file holds.
inline limpid::Image side_by_side(const limpid::Image& before, const limpid::Image& after) {
  constexpr std::int64_t kMostSide = 32'000, kGap = 6;
  return limpid::picture_strip(
      {before.shrunk_into(kMostSide, kMostSide), after.shrunk_into(kMostSide, kMostSide)}, kGap);
}

/// "640 x 480: dehaze, then denoise".
inline std::string caption_of(const nlohmann::json& picture, const limpid::Image& restored) {
  auto text = std::to_string(restored.width()) + " x " + std::to_string(restored.height());
  if (!picture.contains("auto")) return text;
  const auto& done = picture.at("auto").at("done");
  if (done.empty()) return text + ": left as it is";
  const auto* before = ": ";
  for (const auto& guess : done) {
    text += before + guess.at("task").get<std::string>();
    before = ", then ";
  }
  return text;
}

/// @param pictures  [{"input": file, "output": file}], as they lie on the disk; with "auto" what
///                  was done to them
inline void compare_results(const Comparison& comparison, const nlohmann::json& pictures,
                            limpid::ProgressLine& progress) {
  if (!comparison.is_wanted || pictures.empty()) return;
  limpid::SlidePage page;
  for (const auto& picture : pictures) {
    const std::filesystem::path input = picture.at("input").get<std::string>(),
                                output = picture.at("output").get<std::string>();
    progress.show("comparing " + input.string());
    const auto before = limpid::Image::load(input), after = limpid::Image::load(output);
    if (comparison.page.empty()) {
      side_by_side(before, after).save(comparison_of(output), 92);
    } else {
      page.add(input.filename().string(), before, after, caption_of(picture, after));
    }
  }
  if (comparison.page.empty()) return;
  limpid::write_atomically(comparison.page, page.html());
  progress.say("before and after: '" + comparison.page.string() + "'");
}

}  // namespace examples
