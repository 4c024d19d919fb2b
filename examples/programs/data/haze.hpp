#pragma once

// limpid-data haze: hazy pictures from photographs and their depth, as D-HAZY was made.

#include <limpid/core/fail.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/degradations/depth_map.hpp>
#include <limpid/degradations/haze.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_folder.hpp>

#include <cstdint>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../program.hpp"
#include "folders.hpp"
#include "made_pairs.hpp"
#include "shared_options.hpp"

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

/// What a picture got.
struct HazeFacts {
  limpid::Haze::Drawn drawn;
  limpid::Distances distances;  ///< without their values
  std::int64_t pixels = 0;      ///< of the depth map
};

/// Makes one pair. What is drawn depends on the seed and the name, on nothing else.
/// @param is_there  whether only the facts are wanted
inline limpid::ImagePair haze_one(const HazeOptions& options, const limpid::Haze& haze,
                                  const MadePairs::Picture& picture, const fs::path& depth,
                                  bool is_there, HazeFacts& facts) {
  const auto map = limpid::read_depth_map(depth);
  limpid::ImagePair pair;
  at::Tensor hazy;
  try {
    facts.distances = limpid::distances_of(map, options.depth);
    facts.pixels = map.numel();
    const auto values = std::exchange(facts.distances.values, at::Tensor{});
    auto random = limpid::Random::stream(options.seed, {hash_of(picture.name)});
    facts.drawn = haze.draw(random);
    if (is_there) return pair;
    pair.target = limpid::Image::load(picture.file);
    const auto& photo = pair.target;
    const auto distances = limpid::resized_map(values, photo.height(), photo.width());
    hazy = limpid::haze(photo.unit()[0], distances, facts.drawn.beta, facts.drawn.airlight);
  } catch (const c10::ValueError& error) {
    limpid::fail("'", depth.string(), "': ", error.what_without_backtrace());
  }
  pair.degraded = limpid::Image::from_unit(hazy).with_colours_of(pair.target);
  return pair;
}

inline void haze(HazeOptions options) {
  const limpid::Haze haze{.beta = options.beta, .airlight = options.airlight, .tint = 0};
  if (options.zero_is_near) options.depth.zero = limpid::ZeroDepth::near;
  if (options.zero_is_near && options.depth.disparity) {
    throw UsageError("--zero-is-near: expected without --disparity, whose 0 is unknown");
  }
  check_apart(options.output, "IMAGES", options.images, {"input", "target"});
  check_apart(options.output, "DEPTHS", options.depths, {"input", "target"});
  const auto images =
      by_name_before(options.image_ending, limpid::list_images(options.images), "IMAGES");
  const auto all = by_name_before(options.depth_ending, depth_files(options.depths), "DEPTHS");
  TORCH_CHECK(!images.empty(), "IMAGES: expected pictures whose names end in '",
              options.image_ending, "', found none in '", options.images.string(), "'");
  std::map<std::string, fs::path> depths;
  for (const auto& [name, file] : images) {
    TORCH_CHECK(all.contains(name), "DEPTHS: expected a depth map '", name, options.depth_ending,
                "' for '", file.filename().string(), "', found none in '", options.depths.string(),
                "'");
    depths[name] = all.at(name);
  }
  MadePairs made{options.output,
                 {"haze", "haze", "pictures", "hazed"},
                 {{"photographs", whole_path(options.images)},
                  {"names", file_names(images)},
                  {"depths", whole_path(options.depths)},
                  {"depth-names", file_names(depths)},
                  {"beta", options.beta},
                  {"airlight", options.airlight},
                  {"unit", options.depth.unit},
                  {"disparity", options.depth.disparity},
                  {"zero-is-near", options.zero_is_near},
                  {"image-ending", options.image_ending},
                  {"depth-ending", options.depth_ending},
                  {"seed", options.seed}},
                 options.existing};
  std::vector<HazeFacts> facts(images.size());
  made.make(images, options.threads, [&](const MadePairs::Picture& picture, bool is_there) {
    return haze_one(options, haze, picture, depths.at(picture.name), is_there,
                    facts[picture.number]);
  });

  std::ostringstream table;
  table << "picture,beta,airlight,nearest,farthest,unknown_pixels,depth_pixels\n";
  std::int64_t unknown = 0;
  std::int64_t pixels = 0;
  std::size_t number = 0;
  for (const auto& [name, file] : images) {
    const auto& [drawn, distances, count] = facts[number++];
    table << csv_field(name) << ',' << drawn.beta << ',' << drawn.airlight[0] << ','
          << distances.nearest << ',' << distances.farthest << ',' << distances.unknown << ','
          << count << '\n';
    unknown += distances.unknown;
    pixels += count;
  }
  limpid::write_atomically(options.output / "haze.csv", table.str());
  char share[32];
  std::snprintf(share, sizeof share, "%.1f",
                100.0 * static_cast<double>(unknown) / static_cast<double>(pixels));
  made.finish("; " + std::to_string(unknown) + " depth values were unknown and filled (" + share +
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
  add_seed(*command, options.seed,
           "Of what is drawn; a picture's own depends on the seed and its name only");
  add_operand(*command, "IMAGES", options.images, "Folder of clear photographs; only read");
  add_operand(*command, "DEPTHS", options.depths,
              "Folder of depth maps of the same names: grey pictures of 8 or 16 bits, .npy or "
              ".npz. Infinite, NaN and 0 are unknown: filled from the nearest known pixel, "
              "and counted");
  add_operand(*command, "OUTPUT_DIR", options.output, "Folder for the pairs; made where missing");
  add_existing(*command, options.existing);
  add_threads(*command, options.threads);
  return command;
}

}  // namespace examples
