#pragma once

// limpid-data train-interpolation: weights for interpolate, from frames of one's own.

#include <limpid/core/json_text.hpp>
#include <limpid/interpolation/frame_sequences.hpp>
#include <limpid/interpolation/frame_triplets.hpp>
#include <limpid/interpolation/train_interpolation.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/metrics/score_json.hpp>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include "../options.hpp"
#include "../program.hpp"
#include "folders.hpp"

namespace examples {

struct TrainInterpolationOptions {
  fs::path input, out, json;
  std::string size = "small", device = "cpu", precision = "float32";
  limpid::InterpolationTrainingOptions training;
  double held_back = 0.2;
  std::int64_t validate = 24;
  int threads = 1;
  bool overwrite = false;
};

inline std::string decibels(double value) {
  if (std::isnan(value)) return "none";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f dB", value);
  return text;
}

inline nlohmann::json result_of(const TrainInterpolationOptions& options,
                                const limpid::SepConvNetwork& network,
                                const limpid::TripletSplit& split,
                                const limpid::InterpolationProgress& progress,
                                const limpid::InterpolationScore& score) {
  return {
      {"network", network->options()},
      {"out", options.out.string()},
      {"steps", progress.step},
      {"seconds", progress.seconds},
      {"seed", options.training.seed},
      {"threads", options.threads},
      {"device", options.device},
      {"precision", options.precision},
      {"triplets", {{"training", split.training.size()}, {"held_back", split.held_back.size()}}},
      {"psnr",
       {{"network", limpid::detail::json_number(score.network)},
        {"average", limpid::detail::json_number(score.average)},
        {"triplets", score.triplets},
        {"left_out", score.left_out},
        {"better", score.better}}}};
}

inline void train_interpolation(TrainInterpolationOptions options) {
  auto& training = options.training;
  training.state = options.out.string() + ".state";
  training.precision = precision_of(options.precision);
  for (const auto& file : {options.out, training.state}) {
    std::error_code ignored;
    TORCH_CHECK(training.resume || options.overwrite || !fs::is_regular_file(file, ignored),
                "--out: '", file.string(),
                "' is there already; --resume goes on with it, --overwrite begins anew, or name "
                "another file");
  }
  if (options.out.has_parent_path()) make_folder("--out", options.out.parent_path());
  try_output("--out", options.out);
  try_output("--json", options.json);
  auto split = limpid::split_triplets(limpid::frame_sequences(options.input), options.held_back);
  torch::manual_seed(training.seed);
  limpid::SepConvNetwork network{options.size == "small" ? limpid::SepConvOptions::small()
                                                         : limpid::SepConvOptions{}};
  network->start_from_average();
  network->to(device_of(options.device));

  Progress line;
  double loss = 0;
  const auto progress =
      limpid::train_interpolation(network, split.training, training, [&](const auto& now) {
        loss = now.step == 1 || loss == 0 ? now.loss : 0.98 * loss + 0.02 * now.loss;
        char text[120];
        std::snprintf(text, sizeof text, "train-interpolation: step %lld, loss %.4f, %s, %d %%",
                      static_cast<long long>(now.step), loss,
                      limpid::duration_text(now.seconds).c_str(), static_cast<int>(100 * now.done));
        line.show(text);
        return true;
      });
  line.end();
  const auto score = limpid::score_interpolation(network, split.held_back, options.validate);
  const auto result = result_of(options, network, split, progress, score);
  limpid::save_sepconv(options.out, network, {{"training", limpid::json_line(result)}});
  const auto left_out = score.left_out == 0 ? std::string{}
                                            : "; " + std::to_string(score.left_out) +
                                                  " exact, left out of both means";
  line.say("train-interpolation: " + std::to_string(progress.step) + " steps in " +
           limpid::duration_text(progress.seconds) + ", " + std::to_string(options.threads) +
           " threads; " + std::to_string(score.triplets) + " held-back triplets: " +
           decibels(score.network) + ", average of the neighbours " + decibels(score.average) +
           " (better in " + std::to_string(score.better) + left_out + ")");
  write_json(options.json, result);
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_train_interpolation(CLI::App& app, TrainInterpolationOptions& options) {
  auto& training = options.training;
  auto* command = app.add_subcommand("train-interpolation",
                                     "Trains the network of interpolate on triplets of frames");
  command
      ->add_option("--out", options.out,
                   "Weights, safetensors; FILE.state beside it is for --resume")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--size", options.size,
                   "small (25 taps, minutes on a CPU) or published (51 taps, for a GPU)")
      ->check(CLI::IsMember({"small", "published"}))
      ->capture_default_str();
  auto* length = command->add_option_group("Length", "of the run");
  length->add_option("--minutes", training.minutes)->check(positive())->type_name("M");
  length->add_option("--steps", training.steps)->check(Whole{})->type_name("N");
  length->require_option(1);
  add_count(*command, "--crop", training.crop, "Side of a crop, pixels, a multiple of 32");
  add_count(*command, "--batch", training.batch, "Crops in each step");
  command
      ->add_option("--learning-rate", training.learning_rate,
                   "Of Adamax; falls in the second half of the run")
      ->check(positive())
      ->capture_default_str()
      ->type_name("RATE");
  command
      ->add_option("--held-back", options.held_back,
                   "Part of each sequence, its end, that is measured and never trained with")
      ->check(Real{0.01, 0.9})
      ->capture_default_str()
      ->type_name("PART");
  add_count(*command, "--validate", options.validate, "Held-back triplets to measure, at most");
  auto* resume = command->add_flag("--resume", training.resume, "Go on from FILE.state, or start");
  command
      ->add_flag("--overwrite", options.overwrite,
                 "Replace FILE and FILE.state where they are there")
      ->excludes(resume);
  command->add_option("--seed", training.seed, "Of weights and crops")->capture_default_str();
  add_json(*command, options.json, "Write what came out here");
  command
      ->add_option("FRAMES_DIR", options.input,
                   "Folder of successive frames; subfolders are sequences of their own; only read")
      ->required()
      ->type_name("");
  command->add_option("--device", options.device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  command
      ->add_option("--precision", options.precision,
                   "float32, bfloat16, or auto: what is fast here")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}))
      ->capture_default_str();
  add_threads(*command, options.threads);
  return command;
}

}  // namespace examples
