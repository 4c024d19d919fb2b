#pragma once

// limpid-data haze: hazy pictures from photographs and their depth, as D-HAZY was made.

#include <limpid/core/fail.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/degradations/depth_map.hpp>
#include <limpid/degradations/haze.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image.hpp>

#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../failures.hpp"
#include "../program.hpp"
#include "folders.hpp"
#include "interval_option.hpp"
#include "made_set.hpp"
#include "parallel.hpp"

namespace examples {

struct HazeOptions {
  limpid::Interval beta = 1;
  limpid::Interval airlight = 1;
  limpid::DepthOptions depth;
  bool zero_is_near = false;
  std::string image_ending;
  std::string depth_ending;
  std::uint64_t seed = 1;
  int threads = 1;
  Existing existing;
  fs::path images;
  fs::path depths;
  fs::path output;
};

/// Files by what their names hold before `ending`; others are left out where there is an ending.
inline std::map<std::string, fs::path> by_name_before(const std::string& ending,
                                                      const std::vector<fs::path>& files,
                                                      const std::string& what) {
  std::map<std::string, fs::path> found;
  for (const auto& file : files) {
    auto name = file.stem().string();
    if (!ending.empty()) {
      if (name.size() <= ending.size() || !name.ends_with(ending)) continue;
      name.resize(name.size() - ending.size());
    }
    const auto [other, is_new] = found.emplace(name, file);
    TORCH_CHECK(is_new, what, ": expected names that differ, found '",
                other->second.filename().string(), "' and '", file.filename().string(), "'");
  }
  return found;
}

/// Pictures, .npy and .npz files of a folder.
inline std::vector<fs::path> depth_files(const fs::path& folder) {
  TORCH_CHECK(fs::is_directory(folder), "DEPTHS: expected a folder of depth maps, found ",
              fs::exists(folder) ? "a file" : "nothing", " at '", folder.string(), "'");
  auto files = limpid::list_pictures(folder).pictures;
  for (const auto& entry : fs::directory_iterator{folder}) {
    const auto extension = limpid::lower_extension(entry.path());
    if (extension == ".npy" || extension == ".npz") files.push_back(entry.path());
  }
  return files;
}

/// A field of a CSV file, quoted where it has to be. Source: RFC 4180.
inline std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string{"\"\""} : std::string{c};
  return quoted + "\"";
}

struct HazedPicture {
  limpid::Haze::Drawn drawn;
  limpid::Distances distances;  ///< without their values
  std::int64_t pixels = 0;      ///< of the depth map
  limpid::Image clean, hazy;    ///< empty where they were there
};

/// Makes one pair. What is drawn depends on the seed and the name, on nothing else.
/// @param is_there  whether only what was drawn is wanted
inline HazedPicture haze_one(const HazeOptions& options, const limpid::Haze& haze,
                             const std::string& name, const fs::path& image, const fs::path& depth,
                             bool is_there) {
  const auto map = limpid::read_depth_map(depth);
  HazedPicture result;
  at::Tensor hazy;
  try {
    result.distances = limpid::distances_of(map, options.depth);
    result.pixels = map.numel();
    const auto values = std::exchange(result.distances.values, at::Tensor{});
    auto random = limpid::Random::stream(options.seed, {hash_of(name)});
    result.drawn = haze.draw(random);
    if (is_there) return result;
    result.clean = limpid::Image::load(image);
    const auto& photo = result.clean;
    const auto distances = limpid::resized_map(values, photo.height(), photo.width());
    hazy = limpid::haze(photo.unit()[0], distances, result.drawn.beta, result.drawn.airlight);
  } catch (const c10::ValueError& error) {
    limpid::fail("'", depth.string(), "': ", error.what_without_backtrace());
  }
  result.hazy = limpid::Image::from_unit(hazy).with_colours_of(result.clean);
  return result;
}

inline void haze(HazeOptions options) {
  const limpid::Haze haze{.beta = options.beta, .airlight = options.airlight, .tint = 0};
  if (options.zero_is_near) options.depth.zero = limpid::ZeroDepth::near;
  if (options.zero_is_near && options.depth.disparity) {
    throw UsageError("--zero-is-near: expected without --disparity, whose 0 is unknown");
  }
  check_apart(options.output, options.images, "IMAGES");
  check_apart(options.output, options.depths, "DEPTHS");
  const auto images =
      by_name_before(options.image_ending, limpid::list_images(options.images), "IMAGES");
  const auto depths = by_name_before(options.depth_ending, depth_files(options.depths), "DEPTHS");
  TORCH_CHECK(!images.empty(), "IMAGES: expected pictures whose names end in '",
              options.image_ending, "', found none in '", options.images.string(), "'");
  for (const auto& [name, file] : images) {
    TORCH_CHECK(depths.count(name) != 0, "DEPTHS: expected a depth map '", name,
                options.depth_ending, "' for '", file.filename().string(), "', found none in '",
                options.depths.string(), "'");
  }
  MadeSet made{options.output,
               {{"command", "haze"},
                {"photographs", whole_path(options.images)},
                {"depths", whole_path(options.depths)},
                {"beta", options.beta},
                {"airlight", options.airlight},
                {"unit", options.depth.unit},
                {"disparity", options.depth.disparity},
                {"zero-is-near", options.zero_is_near},
                {"image-ending", options.image_ending},
                {"depth-ending", options.depth_ending},
                {"seed", options.seed}},
               {"input", "target"},
               options.existing};
  Failures failures{"limpid-data haze"};
  const std::vector<std::pair<std::string, fs::path>> listed{images.begin(), images.end()};
  std::vector<HazedPicture> results(listed.size());
  Progress progress;
  in_parallel(
      listed.size(), options.threads,
      [&](std::size_t i) {
        const auto& [name, file] = listed[i];
        const auto png = name + ".png";
        const bool is_there = made.keeps({fs::path{"input"} / png, fs::path{"target"} / png});
        HazedPicture hazed;
        const bool went_well = failures.attempt(file, [&, &name = name, &file = file] {
          hazed = haze_one(options, haze, name, file, depths.at(name), is_there);
        });
        if (went_well && !is_there) {
          hazed.clean.save(options.output / "target" / png);
          hazed.hazy.save(options.output / "input" / png);
        }
        hazed.clean = hazed.hazy = {};
        results[i] = std::move(hazed);
      },
      [&](std::size_t i, std::size_t done) {
        failures.say(progress);
        progress.show("haze: " + std::to_string(done) + " of " + std::to_string(listed.size()) +
                      " pictures, " + listed[i].first);
      });
  progress.end();
  failures.check(listed.size(), "hazed");

  std::ostringstream table;
  table << "picture,beta,airlight,nearest,farthest,unknown_pixels,depth_pixels\n";
  std::int64_t unknown = 0;
  std::int64_t pixels = 0;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const auto& [drawn, distances, count, clean, hazy] = results[i];
    table << csv_field(listed[i].first) << ',' << drawn.beta << ',' << drawn.airlight[0] << ','
          << distances.nearest << ',' << distances.farthest << ',' << distances.unknown << ','
          << count << '\n';
    unknown += distances.unknown;
    pixels += count;
  }
  limpid::write_atomically(options.output / "haze.csv", table.str());
  made.finish();
  char share[32];
  std::snprintf(share, sizeof share, "%.1f",
                100.0 * static_cast<double>(unknown) / static_cast<double>(pixels));
  progress.say("haze: " + std::to_string(listed.size()) + " pairs in '" + options.output.string() +
               "'; " + std::to_string(unknown) + " depth values were unknown and filled (" + share +
               " %)");
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_haze(CLI::App& app, HazeOptions& options) {
  auto* command = app.add_subcommand(
      "haze",
      "Hazy pictures from measured depth: OUTPUT_DIR/{input,target}/NAME.png by\n"
      "I = J t + A (1 - t), t = exp(-beta d). The defaults are D-HAZY's (beta 1, white airlight); "
      "haze.csv says what each picture got");
  add_interval(*command, "--beta", options.beta, {0, 1000},
               "Scattering coefficient, or LOW:HIGH to draw for each picture (RESIDE: 0.6:1.8)");
  add_interval(*command, "--airlight", options.airlight, {0, 1},
               "Grey level A of the haze, or LOW:HIGH to draw (RESIDE: 0.7:1)");
  command->add_flag("--disparity", options.depth.disparity,
                    "The maps hold disparity: d = UNIT / value");
  command
      ->add_option("--unit", options.depth.unit,
                   "d = UNIT * value (16 bits in millimetres: 0.001 gives metres); for disparity "
                   "the focal length in pixels times the baseline. Without it d is 1 at the "
                   "farthest known point of each map")
      ->check(Real{1e-12, 1e12})
      ->type_name("UNIT");
  command->add_flag("--zero-is-near", options.zero_is_near,
                    "A value of 0 is the nearest depth, not an unknown one");
  command
      ->add_option("--image-ending", options.image_ending,
                   "What names of photographs end in before their extension, such as _Image_; "
                   "others are left out")
      ->type_name("TEXT");
  command
      ->add_option("--depth-ending", options.depth_ending,
                   "The same of depth maps, such as _Depth_")
      ->type_name("TEXT");
  command
      ->add_option("--seed", options.seed,
                   "Of what is drawn; a picture's own depends on the seed and its name only")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("IMAGES", options.images, "Folder of clear photographs; only read")
      ->required()
      ->type_name("");
  command
      ->add_option("DEPTHS", options.depths,
                   "Folder of depth maps of the same names: grey pictures of 8 or 16 bits, .npy or "
                   ".npz. Infinite, NaN and 0 are unknown: filled from the nearest known pixel, "
                   "and counted")
      ->required()
      ->type_name("");
  command->add_option("OUTPUT_DIR", options.output, "Folder for the pairs; made where missing")
      ->required()
      ->type_name("");
  add_existing(*command, options.existing);
  add_threads(*command, options.threads);
  return command;
}

}  // namespace examples
