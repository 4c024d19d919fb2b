#pragma once

// limpid-data blur: blurred pictures from successive frames, as GoPro was made.

#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/degradations/frame_average.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image.hpp>

#include <ATen/Parallel.h>

#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "../in_order.hpp"
#include "../program.hpp"
#include "folders.hpp"
#include "frames.hpp"
#include "made_set.hpp"
#include "shared_options.hpp"

namespace examples {

struct BlurOptions {
  limpid::Interval frames{7, 13};
  std::int64_t step = 0;
  std::uint64_t seed = 1;
  std::string part = "train";
  std::string sequence;
  std::string linear_light = "none";
  double gamma = 2.2;
  int threads = 1;
  Existing existing;
  fs::path input;
  fs::path output;
};

/// How many frames make one picture: an odd number, so that there is a middle one.
struct FrameCount {
  std::int64_t least = 7;
  std::int64_t most = 13;

  static FrameCount of(const limpid::Interval& frames) {
    const FrameCount count{static_cast<std::int64_t>(frames.low()),
                           static_cast<std::int64_t>(frames.high())};
    if (count.least % 2 == 0 || count.most % 2 == 0 ||
        static_cast<double>(count.least) != frames.low() ||
        static_cast<double>(count.most) != frames.high()) {
      throw UsageError(
          "--frames: expected odd whole numbers, so that there is a middle frame, found '" +
          frames.text() + "'");
    }
    return count;
  }

  std::int64_t draw(limpid::Random& random) const {
    return least + 2 * random.below((most - least) / 2 + 1);
  }
};

/// The pictures of one sequence, in a folder of their own; they are made as a whole.
inline MadeSet sequence_set(const BlurOptions& options, const FrameSequence& sequence) {
  const bool linear = options.linear_light != "none";
  std::vector<fs::path> rooms{"sharp", "blur"};
  if (linear) rooms.push_back("blur_gamma");
  std::vector<std::string> frames;  // of a folder; one more or less changes all pictures behind it
  if (fs::is_directory(sequence.source)) {
    for (const auto& file : frames_in(sequence.source)) frames.push_back(file.filename().string());
  }
  return MadeSet{options.output / options.part / sequence.name,
                 {{"command", "blur"},
                  {"sequence", whole_path(sequence.source)},
                  {"names", frames},
                  {"frames", options.frames},
                  {"step", options.step},
                  {"seed", options.seed},
                  {"linear-light", options.linear_light},
                  {"gamma", linear ? options.gamma : 0.0}},
                 rooms,
                 options.existing};
}

/// Writes the pictures of one sequence. @return how many.
inline std::int64_t blur_sequence(const BlurOptions& options, const FrameCount& count,
                                  const FrameSequence& sequence, const fs::path& folder) {
  const bool linear = options.linear_light != "none";
  const auto curve = options.linear_light == "srgb" ? limpid::ResponseCurve::srgb()
                                                    : limpid::ResponseCurve::gamma(options.gamma);
  auto random = limpid::Random::stream(options.seed, {hash_of(sequence.name)});
  const auto stream = sequence.open();
  std::deque<limpid::Image> window;
  std::int64_t first = 1;  // number of the window's first frame, and of the frames before it
  std::int64_t written = 0;
  std::string table = "picture,first_frame,last_frame\n";
  while (true) {
    const auto length = count.draw(random);
    bool ended = false;
    while (!ended && static_cast<std::int64_t>(window.size()) < length) {
      auto frame = stream->next();
      ended = !frame.has_value();
      if (ended) break;
      TORCH_CHECK(window.empty() || (frame->height() == window.front().height() &&
                                     frame->width() == window.front().width()),
                  "'", sequence.source.string(), "': frame ", first + window.size(), " has ",
                  frame->width(), " x ", frame->height(), " pixels, those before it ",
                  window.front().width(), " x ", window.front().height());
      window.push_back(std::move(*frame));
    }
    if (ended) break;
    limpid::FrameAverage stored;
    limpid::FrameAverage light{curve};
    for (std::int64_t i = 0; i < length; ++i) {
      stored.add(window[static_cast<std::size_t>(i)]);
      if (linear) light.add(window[static_cast<std::size_t>(i)]);
    }
    char name[32];
    std::snprintf(name, sizeof name, "%06lld", static_cast<long long>(first + length / 2));
    const auto file = std::string{name} + ".png";
    const auto& sharp = window[static_cast<std::size_t>(length / 2)];
    sharp.save(folder / "sharp" / file);
    stored.mean().with_colours_of(sharp).save(folder / "blur" / file);
    if (linear) light.mean().with_colours_of(sharp).save(folder / "blur_gamma" / file);
    table += std::string{name} + "," + std::to_string(first) + "," +
             std::to_string(first + length - 1) + "\n";
    ++written;
    const auto step = options.step > 0 ? options.step : length;
    for (std::int64_t i = 0; i < step; ++i) {
      if (!window.empty()) {
        window.pop_front();
      } else if (!stream->next().has_value()) {
        break;
      }
    }
    first += step;
  }
  limpid::write_atomically(folder / "frames.csv", table);
  return written;
}

inline void blur(const BlurOptions& options) {
  const auto count = FrameCount::of(options.frames);
  auto sequences = sequences_in("FRAMES_DIR", options.input);
  if (!options.sequence.empty()) {
    if (sequences.size() > 1) {
      throw UsageError("--sequence: expected one sequence to name, found " +
                       std::to_string(sequences.size()) + " in '" + options.input.string() + "'");
    }
    sequences.front().name = options.sequence;
  }
  if (fs::is_directory(options.input)) {
    check_apart(options.output, "FRAMES_DIR", options.input);
  }
  // All folders first: nothing is made where one of them is refused.
  std::vector<MadeSet> made;
  for (const auto& sequence : sequences) made.push_back(sequence_set(options, sequence));
  std::vector<std::int64_t> written(sequences.size());
  Progress progress;
  at::set_num_threads(1);  // a picture a thread
  work_in_order(
      sequences.size(), options.threads,
      [&](std::size_t i) {
        const auto& sequence = sequences[i];
        if (made[i].is_finished()) return;
        made[i].clear();
        const auto folder = options.output / options.part / sequence.name;
        written[i] = blur_sequence(options, count, sequence, folder);
        TORCH_CHECK(written[i] > 0, "'", sequence.source.string(), "': expected at least ",
                    count.least, " frames, found too few for one picture");
        made[i].finish();
      },
      [&](std::size_t i) {
        progress.show("blur: " + std::to_string(i + 1) + " of " + std::to_string(sequences.size()) +
                      " sequences, " + sequences[i].name);
      });
  progress.end();
  std::int64_t all = 0;
  for (const auto pictures : written) all += pictures;
  progress.say("blur: " + std::to_string(all) + " pairs of " + std::to_string(sequences.size()) +
               " sequences in '" + (options.output / options.part).string() + "'");
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_blur(CLI::App& app, BlurOptions& options) {
  auto* command = app.add_subcommand(
      "blur",
      "Averages successive frames, as GoPro was made:\n"
      "OUTPUT_DIR/PART/SEQUENCE/{blur,sharp}/NNNNNN.png, to be read as gopro:OUTPUT_DIR. Sharp is "
      "the middle frame, NNNNNN its number; frames.csv says which frames were averaged");
  add_interval(*command, "--frames", options.frames, {3, 999},
               "Frames for one picture, an odd number N, or LOW:HIGH to draw for each picture");
  command
      ->add_option("--step", options.step,
                   "Frames from the start of one picture to that of the next; 0: they follow each "
                   "other without sharing a frame")
      ->check(Whole{0, 1'000'000})
      ->capture_default_str()
      ->type_name("N");
  add_seed(*command, options.seed,
           "Of the lengths; those of a sequence depend on the seed and its name only");
  command
      ->add_option("--linear-light", options.linear_light,
                   "Also writes blur_gamma/, the mean of light behind the camera's response curve: "
                   "gamma (as GoPro's, see --gamma) or srgb")
      ->check(CLI::IsMember({"none", "gamma", "srgb"}))
      ->capture_default_str();
  command
      ->add_option("--gamma", options.gamma,
                   "The curve of --linear-light gamma: stored = light ^ (1 / GAMMA)")
      ->check(Real{0.1, 10})
      ->capture_default_str()
      ->type_name("GAMMA");
  command->add_option("--part", options.part, "train or test")
      ->check(CLI::IsMember({"train", "test"}))
      ->capture_default_str();
  command
      ->add_option("--sequence", options.sequence,
                   "What the sequence is called, where there is one [its folder's name]")
      ->type_name("NAME");
  add_operand(*command, "FRAMES_DIR", options.input,
              "Folder of frames, in the order of the numbers in their names; or with a "
              "subfolder of frames for each sequence; or a video, read through ffmpeg");
  add_operand(*command, "OUTPUT_DIR", options.output, "Folder for the set; made where missing");
  add_existing(*command, options.existing);
  add_threads(*command, options.threads);
  return command;
}

}  // namespace examples
