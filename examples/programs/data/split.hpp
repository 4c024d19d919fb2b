#pragma once

// limpid-data split: photographs into a training part and a test part.

#include <limpid/core/random.hpp>
#include <limpid/core/shuffled.hpp>
#include <limpid/datasets/pair_split.hpp>
#include <limpid/io/image.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../failures.hpp"
#include "../program.hpp"
#include "folders.hpp"
#include "made_set.hpp"
#include "shared_options.hpp"

namespace examples {

struct SplitOptions {
  double test_share = 0.2;
  std::uint64_t seed = 1;
  std::int64_t max_side = 0;
  Existing existing;
  fs::path input;
  fs::path output;
};

/// Writes every photograph to OUTPUT_DIR/train or OUTPUT_DIR/test as PNG. Whole photographs go to
/// one part, so that no test picture shows what was trained on.
inline void split(const SplitOptions& options) {
  const auto photos = pictures_by_name("INPUT_DIR", options.input);
  const bool both = options.test_share > 0 && options.test_share < 1;
  const std::size_t least = both ? 2 : 1;
  TORCH_CHECK(photos.size() >= least, "INPUT_DIR: expected at least ", least, " photograph",
              both ? "s" : "", " to split, found ", photos.size(), " in '", options.input.string(),
              "'");
  check_apart(options.output, "INPUT_DIR", options.input);
  std::vector<std::string> names;
  for (const auto& [name, file] : photos) names.push_back(name);
  limpid::Random random{options.seed};
  names = limpid::shuffled(std::move(names), random);
  const auto count = static_cast<double>(names.size());
  const auto share = options.test_share * count;
  const auto tests = both ? std::clamp(share, 1.0, count - 1) : share;
  const std::set<std::string> test{names.begin(),
                                   names.begin() + static_cast<std::ptrdiff_t>(tests + 0.5)};

  MadeSet made{options.output,
               {{"command", "split"},
                {"photographs", whole_path(options.input)},
                {"names", file_names(photos)},
                {"test", options.test_share},
                {"seed", options.seed},
                {"max-side", options.max_side}},
               {"train", "test"},
               options.existing};
  Failures failures{"limpid-data split"};
  Progress progress;
  std::size_t done = 0;
  for (const auto& [name, file] : photos) {
    const auto target = fs::path{test.contains(name) ? "test" : "train"} / (name + ".png");
    if (!made.keeps({target})) {
      limpid::EncodedPicture made_photo;
      const bool went_well = failures.attempt(file, [&, file = file] {
        auto photo = limpid::Image::load(file);
        if (options.max_side > 0) photo = photo.shrunk_to(options.max_side);
        made_photo = photo.encoded_for(options.output / target);
      });
      failures.say(progress);
      if (went_well) made_photo.write();
    }
    progress.show("split: " + std::to_string(++done) + " of " + std::to_string(photos.size()) +
                  " photographs, " + name);
  }
  progress.end();
  failures.check(photos.size(), "read");
  made.finish();
  progress.say("split: " + std::to_string(photos.size() - test.size()) + " to train on and " +
               std::to_string(test.size()) + " to test, in '" + options.output.string() + "'");
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_split(CLI::App& app, SplitOptions& options) {
  auto* command = app.add_subcommand(
      "split", "Splits photographs by picture: OUTPUT_DIR/{train,test}/NAME.png");
  command
      ->add_option("--test", options.test_share,
                   "Share of the photographs to test on; 0: none, 1: all, else at "
                   "least one in each part")
      ->check(Real{0, 1})
      ->capture_default_str()
      ->type_name("SHARE");
  add_seed(*command, options.seed, "Another seed gives another split");
  add_max_side(*command, options.max_side);
  add_existing(*command, options.existing);
  add_operand(*command, "INPUT_DIR", options.input, "Folder of photographs; only read");
  add_operand(*command, "OUTPUT_DIR", options.output,
              "Folder for the two parts; made where missing");
  return command;
}

}  // namespace examples
