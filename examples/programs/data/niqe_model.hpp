#pragma once

// limpid-data niqe-model: what NIQE compares pictures with, from photographs without faults.

#include <limpid/io/image.hpp>
#include <limpid/metrics/niqe_model.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

#include "../failures.hpp"
#include "../program.hpp"
#include "folders.hpp"
#include "made_set.hpp"

namespace examples {

struct NIQEModelOptions {
  std::string luma = "y";
  fs::path input;
  fs::path output;
  bool overwrite = false;
};

/// Writes the mean and covariance of the features of sharp blocks as safetensors, under the names
/// of the published model. The same photographs give the same file.
inline void niqe_model(const NIQEModelOptions& options) {
  check_new_file("FILE", options.output, options.overwrite);
  const auto photos = pictures_by_name("INPUT_DIR", options.input);
  limpid::NIQEModelFit fit{options.luma == "gray" ? limpid::MetricChannels::gray
                                                  : limpid::MetricChannels::y_rounded};
  Progress progress;
  Failures failures{"limpid-data"};
  std::int64_t done = 0, small = 0;
  for (const auto& [name, file] : photos) {
    failures.attempt(file, [&, file = file] {
      const auto photo = limpid::Image::load(file);
      if (photo.height() < 96 || photo.width() < 96) {
        ++small;
        return;
      }
      fit.add(photo.unit());
      ++done;
    });
    failures.say(progress);
    progress.show("niqe-model: " + std::to_string(done + small) + " of " +
                  std::to_string(photos.size()) + " photographs, " + std::to_string(fit.blocks()) +
                  " sharp blocks");
  }
  progress.end();
  if (small > 0) {
    progress.say("niqe-model: " + std::to_string(small) +
                 " photographs are smaller than one block of 96 x 96 pixels and do not count");
  }
  limpid::write_niqe_model(options.output, fit.model(),
                           {{"limpid_niqe_model", "1"},
                            {"luma", options.luma},
                            {"photographs", std::to_string(done)},
                            {"blocks", std::to_string(fit.blocks())}});
  progress.say("niqe-model: " + std::to_string(fit.blocks()) + " sharp blocks of " +
               std::to_string(done) + " photographs, in '" + options.output.string() + "'");
  failures.check(photos.size(), "read");
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_niqe_model(CLI::App& app, NIQEModelOptions& options) {
  auto* command = app.add_subcommand(
      "niqe-model",
      "Fits what NIQE compares with to photographs without faults; a hundred or more");
  command
      ->add_option("--luma", options.luma,
                   "What is judged: y for the metric niqe, gray for niqe_gray")
      ->check(CLI::IsMember({"y", "gray"}))
      ->capture_default_str();
  add_operand(*command, "INPUT_DIR", options.input, "Folder of photographs; only read");
  add_operand(*command, "FILE", options.output, "The model to write, safetensors");
  add_overwrite(*command, options.overwrite);
  return command;
}

}  // namespace examples
