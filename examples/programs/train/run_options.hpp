#pragma once

#include <limpid/training/options.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

#include "../changes.hpp"
#include "../numbers.hpp"
#include "../options.hpp"

namespace examples {

/// `--crop`: one side, or sides that grow.
inline void set_crop(limpid::TrainerOptions& options, const std::string& text) {
  if (text.find(':') == text.npos) {
    options.crop = std::stoll(text);
    options.progressive_crop = {};
    return;
  }
  options.progressive_crop = limpid::ProgressiveCrop::parse(text);
  options.crop = options.progressive_crop.parts().back().side;
}

/// Takes what `set_crop` takes.
struct CropText : CLI::Validator {
  CropText() {
    func_ = [](std::string& text) -> std::string {
      const Whole side{16, 4096};
      if (text.find(':') == text.npos) return side(text);
      try {
        const auto crop = limpid::ProgressiveCrop::parse(text);
        for (const auto& part : crop.parts()) {
          auto wrong = side(std::to_string(part.side));
          if (!wrong.empty()) return wrong;
        }
      } catch (const c10::Error& error) {
        return error.what_without_backtrace();
      }
      return {};
    };
  }
};

/// Adds what every training has: folder, length, resuming, devices. What is not given is as the
/// recipe says.
inline void add_run_options(CLI::App& app, Changes<limpid::TrainerOptions>& options) {
  using limpid::TrainerOptions;
  options
      .bind(app, "--out", &TrainerOptions::out,
            "Folder of model.limpid, best.limpid, checkpoint.limpid and metrics.jsonl")
      ->required()
      ->type_name("RUN")
      ->group("Run");
  auto& length = *app.add_option_group("Length of the run", "one of them; else the recipe's");
  const auto add_length = [&]<class Length, class Number>(const char* name, CLI::Validator check,
                                                          const char* type, const char* text) {
    options
        .add<Number>(
            length, name, [](TrainerOptions& o, Number count) { o.length = Length{count}; }, text)
        ->check(check)
        ->type_name(type);
  };
  add_length.operator()<limpid::Epochs, std::int64_t>("--epochs", Whole{1, limpid::kMostSteps}, "N",
                                                      "Passes over the data");
  add_length.operator()<limpid::Steps, std::int64_t>("--steps", Whole{1, limpid::kMostSteps}, "N",
                                                     "Updates of the networks");
  add_length.operator()<limpid::Minutes, double>("--minutes", minutes(), "M",
                                                 "Time, over all sittings");
  length.require_option(0, 1);
  options
      .bind(app, "--rate", &TrainerOptions::rate,
            "Learning rate at its highest; over the run it goes as its schedule says")
      ->check(rate())
      ->type_name("RATE")
      ->group("Run");
  options
      .add<std::string>(app, "--crop", set_crop,
                        "Side of a crop, pixels; or sides that grow, each with the part of the run "
                        "from which on it holds: 128:0,192:0.5,256:0.8")
      ->check(CropText{})
      ->type_name("N|N:PART,...")
      ->group("Data");
  options
      .flag(
          app, "--resume", [](TrainerOptions& o) { o.start = limpid::Start::resume; },
          "Go on with the run in RUN, or start it")
      ->group("Run");
  options
      .flag(
          app, "--data-changed", [](TrainerOptions& o) { o.data_changed = true; },
          "With --resume: take the run up although its data have other pairs than before")
      ->group("Run");
  options
      .bind(app, "--validation-images", &TrainerOptions::validation_images,
            "Validate on so many pictures of each task, spread over its validation set; 0: all")
      ->check(Whole{0})
      ->type_name("N")
      ->group("Data");
  options
      .bind(app, "--stop-after", &TrainerOptions::stop_after,
            "End this sitting after so many steps, saved; schedules still run to the end")
      ->check(Whole{})
      ->type_name("STEPS")
      ->group("Run");
  options
      .bind(app, "--checkpoint-seconds", &TrainerOptions::checkpoint_seconds,
            "Save so often, which is what a run that is killed has lost at most [300]")
      ->check(Real{0, 1e6})
      ->type_name("SECONDS")
      ->group("Run");
  options
      .add<std::string>(
          app, "--device", [](TrainerOptions& o, const auto& name) { o.device = device_of(name); },
          "Where to compute [cpu]")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->group("Run");
  options
      .add<std::string>(
          app, "--precision",
          [](TrainerOptions& o, const auto& name) { o.precision = precision_of(name); },
          "Of convolutions; auto: what is fast here [the recipe's]")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}))
      ->group("Run");
  options
      .add<std::string>(
          app, "--convolution",
          [](TrainerOptions& o, const auto& name) {
            o.convolution = limpid::kConvolutions.at(name);
          },
          convolution_help())
      ->check(one_of(limpid::kConvolutions))
      ->type_name("NAME")
      ->group("Run");
  options
      .add<std::string>(
          app, "--memory-format",
          [](TrainerOptions& o, const auto& name) {
            o.memory_format = limpid::kMemoryFormats.at(name);
          },
          memory_format_help())
      ->check(one_of(limpid::kMemoryFormats))
      ->type_name("NAME")
      ->group("Run");
  options
      .add<std::string>(
          app, "--tf32", [](TrainerOptions& o, const auto& yes) { o.tf32 = yes == "yes"; },
          "On a graphics card: whether float32 may round to TF32 [yes]")
      ->check(CLI::IsMember({"yes", "no"}))
      ->group("Run");
  options
      .flag(
          app, "--cudnn-benchmark", [](TrainerOptions& o) { o.cudnn_benchmark = true; },
          "On a graphics card: try cuDNN's algorithms for each shape and keep the fastest")
      ->group("Run");
  options
      .flag(
          app, "--step-graphs", [](TrainerOptions& o) { o.step_graphs = true; },
          "On a graphics card: record a step and replay it, where nothing in it needs the CPU")
      ->group("Run");
  options
      .bind(app, "--workers", &TrainerOptions::workers, "Threads that decode ahead, for each task")
      ->check(Whole{0, 64})
      ->type_name("N")
      ->group("Data");
  options
      .bind(app, "--seed", &TrainerOptions::seed,
            "Of weights, shuffling, crops and degradations [0]")
      ->check(Whole{0})
      ->type_name("N")
      ->group("Run");
  options
      .flag(
          app, "--tensorboard", [](TrainerOptions& o) { o.tensorboard = true; },
          "Write event files for TensorBoard into RUN")
      ->group("Run");
  options
      .flag(
          app, "--quiet", [](TrainerOptions& o) { o.quiet = true; },
          "No progress on standard error")
      ->group("Run");
}

}  // namespace examples
