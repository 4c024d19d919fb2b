#pragma once

// limpid-data degrade: degraded copies of clean photographs.

#include <limpid/core/fail.hpp>
#include <limpid/core/random.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/degradations/depth_map.hpp>
#include <limpid/degradations/haze.hpp>
#include <limpid/degradations/named_degradations.hpp>
#include <limpid/io/grey_image.hpp>
#include <limpid/io/image.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>

#include "../options.hpp"
#include "../program.hpp"
#include "folders.hpp"
#include "made_pairs.hpp"
#include "shared_options.hpp"

namespace examples {

struct DegradeOptions {
  std::string task;
  std::string degradation;
  std::uint64_t seed = 1;
  fs::path depth;
  std::int64_t max_side = 0;
  int threads = 1;
  Existing existing;
  fs::path input;
  fs::path output;
};

/// A grey picture as depth (height, width) in [0, 1]: 0 black is nearest, 1 white farthest. Its
/// values are taken as they are.
inline at::Tensor read_depth(const fs::path& file, std::int64_t height, std::int64_t width) {
  const auto picture = limpid::GreyImage::load(file);
  const auto distances = limpid::distances_of(
      picture.values,
      {.unit = 1 / static_cast<double>(picture.highest), .zero = limpid::ZeroDepth::near});
  return limpid::resized_map(distances.values, height, width).clamp(0, 1);
}

/// What --task or --degradation names.
struct ChosenDegradation {
  std::string name;  ///< of the task or of the degradation; random numbers depend on it
  limpid::AnyDegradation degradation;
  std::optional<limpid::Haze> haze;  ///< the same, where it is haze
};

inline ChosenDegradation chosen_degradation(const DegradeOptions& options) {
  if (options.task.empty() == options.degradation.empty()) {
    throw UsageError("expected either --task or --degradation");
  }
  auto text = as_usage("--degradation: ",
                       [&] { return limpid::DegradationText::parse(options.degradation); });
  if (!options.task.empty()) text = {limpid::usual_degradation(options.task)};
  return as_usage("--degradation: ", [&] {
    ChosenDegradation chosen{
        options.task.empty() ? limpid::kDegradations.spelled(text.name) : options.task,
        limpid::named_degradation(text),
        {}};
    limpid::with_degradation(text, [&](const auto& degradation) {
      using D = std::remove_cvref_t<decltype(degradation)>;
      if constexpr (std::is_same_v<D, limpid::Haze>) chosen.haze = degradation;
    });
    return chosen;
  });
}

/// Makes one pair. What is drawn depends on the seed, the task (or the degradation's name) and the
/// photograph's name, on nothing else.
inline limpid::ImagePair degrade_one(const DegradeOptions& options, const ChosenDegradation& chosen,
                                     const std::string& name, const fs::path& file,
                                     const fs::path& depth_file) {
  auto photo = limpid::Image::load(file);
  if (options.max_side > 0) photo = photo.shrunk_to(options.max_side);
  auto random = limpid::Random::stream(options.seed, {hash_of(chosen.name), hash_of(name)});
  const auto clean = photo.unit()[0];
  at::Tensor degraded;
  try {
    degraded =
        depth_file.empty()
            ? chosen.degradation(clean, random)
            : (*chosen.haze)(clean, read_depth(depth_file, photo.height(), photo.width()), random);
  } catch (const c10::ValueError& error) {
    limpid::fail("'", file.string(), "': ", error.what_without_backtrace());
  }
  return {limpid::Image::from_unit(degraded.unsqueeze(0)).with_colours_of(photo), photo};
}

inline void degrade(const DegradeOptions& options) {
  const auto chosen = chosen_degradation(options);
  if (!options.depth.empty() && !chosen.haze) {
    throw UsageError("--depth: expected with --task dehaze or --degradation haze, found " +
                     chosen.name);
  }
  const auto photos = pictures_by_name("INPUT_DIR", options.input);
  check_apart(options.output, "INPUT_DIR", options.input, {"input", "target"});
  std::map<std::string, fs::path> depths;
  if (!options.depth.empty()) {
    const auto all = pictures_by_name("--depth", options.depth);
    for (const auto& [name, file] : photos) {
      TORCH_CHECK(all.contains(name), "--depth: expected a picture named like '",
                  file.filename().string(), "', found none in '", options.depth.string(), "'");
      depths[name] = all.at(name);
    }
  }
  MadePairs made{options.output,
                 {"degrade", chosen.name, "photographs", "degraded"},
                 {{"photographs", whole_path(options.input)},
                  {"names", file_names(photos)},
                  {"task", options.task},
                  {"degradation", options.degradation},
                  {"depth", options.depth.empty() ? "" : whole_path(options.depth)},
                  {"depth-names", file_names(depths)},
                  {"seed", options.seed},
                  {"max-side", options.max_side}},
                 options.existing};
  made.make(photos, options.threads, [&](const MadePairs::Picture& photo, bool is_there) {
    if (is_there) return limpid::ImagePair{};
    return degrade_one(options, chosen, photo.name, photo.file,
                       depths.empty() ? fs::path{} : depths.at(photo.name));
  });
  made.finish();
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_degrade(CLI::App& app, DegradeOptions& options) {
  auto* command = app.add_subcommand(
      "degrade", "Degrades clean photographs: OUTPUT_DIR/{input,target}/NAME.png");
  command
      ->add_option("--task", options.task,
                   "What a network shall learn to undo; stands for the degradation of that task "
                   "as it is")
      ->check(CLI::IsMember(limpid::degradation_tasks()))
      ->type_name("TASK");
  command
      ->add_option("--degradation", options.degradation,
                   "In place of --task: a degradation and what to change of it, with LOW:HIGH to "
                   "draw for each photograph:\n" +
                       limpid::degradations_help())
      ->type_name("NAME[,OPTION=VALUE]...");
  add_seed(*command, options.seed,
           "Another seed gives other degradations; a photograph's own depends on the seed, "
           "the task and its name only");
  command
      ->add_option("--depth", options.depth,
                   "Folder of grey pictures named like the photographs, black near, white far "
                   "(dehaze; without it a synthetic depth)")
      ->type_name("DIR");
  add_max_side(*command, options.max_side);
  add_operand(*command, "INPUT_DIR", options.input, "Folder of clean photographs; only read");
  add_operand(*command, "OUTPUT_DIR", options.output, "Folder for the pairs; made where missing");
  add_existing(*command, options.existing);
  add_threads(*command, options.threads);
  return command;
}

}  // namespace examples
