#pragma once

// limpid-data dhazy-split: which pairs of D-HAZY are for training, as a file.

#include <limpid/datasets/dhazy.hpp>

#include <cstdint>
#include <string>

#include "../program.hpp"
#include "folders.hpp"
#include "made_set.hpp"
#include "shared_options.hpp"

namespace examples {

struct DHazySplitOptions {
  std::uint64_t seed = 0;
  fs::path input;
  fs::path output;
  bool overwrite = false;
};

inline void dhazy_split(const DHazySplitOptions& options) {
  check_new_file("FILE", options.output, options.overwrite);
  const auto split = limpid::DHazy{options.input, {.seed = options.seed}}.split();
  split.write(options.output);
  Progress{}.say("dhazy-split: " + std::to_string(split.train.size()) + " pairs to train on and " +
                 std::to_string(split.test.size()) + " to test, in '" + options.output.string() +
                 "'");
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_dhazy_split(CLI::App& app, DHazySplitOptions& options) {
  auto* command = app.add_subcommand(
      "dhazy-split",
      "Writes which NYU pairs of D-HAZY are for training (1000 of 1449) and which for the test, to "
      "be given back as dhazy:DHAZY_DIR,FILE. The papers' own split was never published");
  add_seed(*command, options.seed, "Another seed gives another split");
  add_operand(*command, "DHAZY_DIR", options.input, "Folder with NYU_Hazy/ and NYU_GT/; only read");
  add_operand(*command, "FILE", options.output, "The split, JSON");
  add_overwrite(*command, options.overwrite);
  return command;
}

}  // namespace examples
