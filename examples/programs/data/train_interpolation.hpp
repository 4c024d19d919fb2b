#pragma once

// limpid-data train-interpolation: a model for interpolate, from frames of one's own.

#include <limpid/interpolation/frame_sequences.hpp>
#include <limpid/interpolation/frame_triplets.hpp>
#include <limpid/interpolation/train_interpolation.hpp>
#include <limpid/training/run_folder.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "../changes.hpp"
#include "../numbers.hpp"
#include "../options.hpp"
#include "../program.hpp"
#include "../train/run_options.hpp"
#include "../train/run_result.hpp"
#include "folders.hpp"

namespace examples {

struct TrainInterpolationOptions {
  fs::path input, json;
  std::string size = "small";
  Changes<limpid::TrainerOptions> training;
  std::int64_t batch = 2;
  double held_back = 0.2;
  int threads = 1;
  bool overwrite = false;
};

inline void train_interpolation(const TrainInterpolationOptions& options) {
  auto training = limpid::interpolation_options();
  options.training.apply(training);
  training.facts["threads"] = options.threads;
  training.facts["data"] = options.input.string();
  const auto split =
      limpid::split_triplets(limpid::frame_sequences(options.input), options.held_back);
  limpid::make_folder("--out", training.out);
  try_output("--json", options.json);
  if (options.overwrite) limpid::RunFolder{training.out}.clear();
  torch::manual_seed(training.seed);
  limpid::SepConvNetwork network{options.size == "small" ? limpid::SepConvOptions::small()
                                                         : limpid::SepConvOptions{}};
  network->start_from_average();
  auto trainer = limpid::interpolation_trainer(training, network, split, options.batch);
  const auto result = trainer.fit();
  auto json = run_result(training, result, trainer.steps_done(), options.threads);
  json["recipe"] = training.recipe;
  json["network"] = limpid::SepConvNetworkImpl::architecture;
  json["network_options"] = network->options();
  json["triplets"] = {{"training", split.training.size() / 2},
                      {"held_back", split.held_back.size()}};
  write_json(options.json, json);
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_train_interpolation(CLI::App& app, TrainInterpolationOptions& options) {
  auto* command = app.add_subcommand("train-interpolation",
                                     "Trains the network of interpolate on triplets of frames");
  command
      ->add_option("--size", options.size,
                   "small (37 taps, minutes on a CPU) or published (51 taps, for a GPU)")
      ->check(CLI::IsMember({"small", "published"}))
      ->capture_default_str();
  add_run_options(*command, options.training);
  add_count(*command, "--batch", options.batch, "Crops in each step");
  command
      ->add_option("--held-back", options.held_back,
                   "Part of each sequence, its end, that is validated on and never trained with")
      ->check(Real{0.01, 0.9})
      ->capture_default_str()
      ->type_name("PART");
  command->add_flag("--overwrite", options.overwrite, "Remove the run in RUN, and begin anew")
      ->excludes(command->get_option("--resume"));
  add_json(*command, options.json, "Write what came out here");
  add_operand(*command, "FRAMES_DIR", options.input,
              "Folder of successive frames; subfolders are sequences of their own; only read");
  add_threads(*command, options.threads);
  command->footer(
      "Where nothing else is said: 10 minutes, a rate of 0.001 that falls in the second half of "
      "the run, crops of 128 pixels, 12 validation triplets.\nCtrl-C, SIGTERM or SIGHUP finishes "
      "the step, saves and ends; --resume goes on from there.");
  return command;
}

}  // namespace examples
