#pragma once

// limpid-data interpolate: frames between frames, for a higher frame rate.

#include <limpid/core/checksum.hpp>
#include <limpid/core/errors.hpp>
#include <limpid/interpolation/frame_sequences.hpp>
#include <limpid/interpolation/interpolate.hpp>
#include <limpid/interpolation/sepconv_file.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image.hpp>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../options.hpp"
#include "../program.hpp"
#include "folders.hpp"
#include "made_set.hpp"

namespace examples {

struct InterpolateOptions {
  fs::path input, output, weights;
  std::int64_t from = 240, to = 960;  ///< frames a second
  limpid::Tiling tiling = limpid::InterpolationOptions{}.tiling;
  std::string key, padding = "improved", device = "cpu";
  int threads = 1;
  Existing existing;

  std::int64_t factor() const { return to / from; }
};

/// CRC-32 of a network's weights, in the order of their names.
inline std::string checksum_of(const limpid::SepConvNetwork& network) {
  std::uint32_t sum = 0;
  for (const auto& item : network->named_parameters()) {
    const auto values = item.value().detach().cpu().contiguous();
    const std::uint32_t parts[] = {sum, limpid::crc32(values.data_ptr(), values.nbytes())};
    sum = limpid::crc32(parts, sizeof parts);
  }
  char text[9];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(sum));
  return text;
}

/// What decides which pixels a run writes.
inline nlohmann::json settings_of(const InterpolateOptions& options,
                                  const limpid::SepConvNetwork& network,
                                  const std::vector<limpid::FrameSequence>& sequences) {
  auto frames = nlohmann::json::object();
  for (const auto& sequence : sequences) {
    auto& names = frames[sequence.name.generic_string()];
    for (const auto& frame : sequence.frames) names.push_back(frame.filename().string());
  }
  return {{"command", "interpolate"},
          {"originals", whole_path(options.input)},
          {"fps", options.from},
          {"to", options.to},
          {"weights", checksum_of(network)},
          {"tile", options.tiling.tile},
          {"overlap", options.tiling.overlap},
          {"padding", options.padding},
          {"frames", frames}};
}

/// OUTPUT_DIR and its record. All of its folders hold frames of one run.
inline MadeSet made_frames(const InterpolateOptions& options, const limpid::SepConvNetwork& network,
                           const std::vector<limpid::FrameSequence>& sequences) {
  std::vector<fs::path> rooms;
  for (const auto& sequence : sequences) rooms.push_back(sequence.name);
  return MadeSet{options.output, settings_of(options, network, sequences), rooms, options.existing};
}

/// Where the frames of a sequence go: NUMBER.EXTENSION, the originals at multiples of the factor.
class FrameNames {
 public:
  FrameNames(const fs::path& folder, std::size_t originals, std::int64_t factor)
      : folder_(folder), factor_(factor) {
    const auto last = static_cast<std::int64_t>(originals) * factor;
    digits_ = std::max<std::size_t>(6, std::to_string(last).size());
  }

  fs::path original(std::size_t i, const fs::path& source) const {
    return name(static_cast<std::int64_t>(i) * factor_, source.extension().string());
  }

  /// The `k`-th frame after original `i`, from 1.
  fs::path between(std::size_t i, std::int64_t k) const {
    return name(static_cast<std::int64_t>(i) * factor_ + k, ".png");
  }

 private:
  fs::path name(std::int64_t number, const std::string& extension) const {
    const auto text = std::to_string(number);
    return folder_ / (std::string(digits_ - text.size(), '0') + text + extension);
  }

  fs::path folder_;
  std::int64_t factor_;
  std::size_t digits_;
};

/// How much is done and how long the rest takes, by what this run has computed.
class FramesLeft {
 public:
  explicit FramesLeft(std::int64_t all) : all_(all) {}

  void skip(std::int64_t count) { done_ += count; }

  void add(std::int64_t count) {
    done_ += count;
    computed_ += count;
    const auto seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    const auto left = seconds * static_cast<double>(all_ - done_) / static_cast<double>(computed_);
    progress_.show("interpolate: " + std::to_string(done_) + " of " + std::to_string(all_) +
                   " frames, " + limpid::duration_text(left) + " left");
  }

  void say(const std::string& folder) {
    progress_.end();
    progress_.say("interpolate: " + std::to_string(computed_) + " frames made, " +
                  std::to_string(all_ - computed_) + " were there, in '" + folder + "'");
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t all_, done_ = 0, computed_ = 0;
  Clock::time_point start_ = Clock::now();
  Progress progress_;
};

inline void copy_frame(const fs::path& from, const fs::path& to) {
  if (fs::exists(to)) return;
  std::ifstream stream{from, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
  TORCH_CHECK(!stream.bad() && !bytes.empty(), "cannot read '", from.string(), "'");
  limpid::write_atomically(to, bytes);
}

inline void interpolate_sequence(const limpid::FrameSequence& sequence,
                                 const InterpolateOptions& options, limpid::SepConvNetwork network,
                                 FramesLeft& left) {
  const auto folder = sequence.name.empty() ? options.output : options.output / sequence.name;
  make_folder("OUTPUT_DIR", folder);
  const auto& frames = sequence.frames;
  const FrameNames names{folder, frames.size(), options.factor()};
  const limpid::InterpolationOptions how{options.tiling, options.padding == "paper"
                                                             ? limpid::SepConvPadding::paper
                                                             : limpid::SepConvPadding::improved};
  limpid::Image next;  // decoded once for both of its neighbours
  for (std::size_t i = 0; i < frames.size(); ++i) {
    copy_frame(frames[i], names.original(i, frames[i]));
    if (i + 1 == frames.size()) break;
    std::vector<std::int64_t> missing;
    for (std::int64_t k = 1; k < options.factor(); ++k) {
      if (!fs::exists(names.between(i, k))) missing.push_back(k);
    }
    left.skip(options.factor() - 1 - static_cast<std::int64_t>(missing.size()));
    if (missing.empty()) {
      next = {};
      continue;
    }
    const auto first = next.empty() ? limpid::Image::load(frames[i]) : next;
    next = limpid::Image::load(frames[i + 1]);
    TORCH_CHECK(next.height() == first.height() && next.width() == first.width(), "frames '",
                frames[i].string(), "' and '", frames[i + 1].string(),
                "': expected one size, found ", first.width(), " x ", first.height(), " and ",
                next.width(), " x ", next.height());
    const auto made = limpid::naming(
        "frames '" + frames[i].string() + "' and '" + frames[i + 1].string() + "'", [&] {
          return limpid::interpolate_between(network, first.unit(), next.unit(), options.factor(),
                                             how);
        });
    for (const auto k : missing) {
      limpid::Image::from_unit(made[static_cast<std::size_t>(k - 1)])
          .with_colours_of(first)
          .save(names.between(i, k));
    }
    left.add(static_cast<std::int64_t>(missing.size()));
  }
}

inline void interpolate(const InterpolateOptions& options) {
  const auto factor = options.factor();
  if (options.to % options.from != 0 || factor < 2 || factor > 16 || (factor & (factor - 1)) != 0) {
    throw UsageError("--to: expected 2, 4, 8 or 16 times --fps " + std::to_string(options.from) +
                     ", got " + std::to_string(options.to));
  }
  const auto sequences = limpid::frame_sequences(options.input);
  check_apart(options.output, "FRAMES_DIR", options.input);
  if (lies_in(options.input, options.output)) {
    throw UsageError("OUTPUT_DIR: expected a folder that keeps off FRAMES_DIR, found '" +
                     options.output.string() + "'");
  }
  auto network = limpid::load_sepconv(options.weights, {.key = options.key});
  const auto multiple = network->options().multiple();
  if (options.tiling.tile % multiple != 0) {
    throw UsageError("--tile: expected a multiple of " + std::to_string(multiple) + ", got " +
                     std::to_string(options.tiling.tile));
  }
  check_overlap(options.tiling);
  std::int64_t wanted = 0;
  for (const auto& sequence : sequences) {
    wanted += (factor - 1) * (static_cast<std::int64_t>(sequence.frames.size()) - 1);
  }
  TORCH_CHECK(wanted > 0,
              "FRAMES_DIR: expected two frames or more in a folder, found single ones "
              "in '",
              options.input.string(), "'");
  auto made = made_frames(options, network, sequences);
  network->to(device_of(options.device));
  FramesLeft left{wanted};
  for (const auto& sequence : sequences) interpolate_sequence(sequence, options, network, left);
  made.finish();
  left.say(options.output.string());
}

/// Adds the subcommand; `options` must live until it has run.
inline CLI::App* add_interpolate(CLI::App& app, InterpolateOptions& options) {
  auto* command = app.add_subcommand(
      "interpolate", "Frames between frames: a higher frame rate, as blur by averaging needs it");
  command->add_option("--fps", options.from, "Frames a second of FRAMES_DIR")
      ->check(Whole{1, 1'000'000})
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--to", options.to, "Frames a second wanted: 2, 4, 8 or 16 times as many")
      ->required()
      ->check(Whole{1, 16'000'000})
      ->type_name("N");
  command
      ->add_option("--weights", options.weights,
                   "RUN/model.limpid of train-interpolation, or a published checkpoint of a "
                   "separable convolution network (.pth, .safetensors)")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--key", options.key,
                   "Of a checkpoint with several sets of weights the one to take [averaged weights "
                   "before raw ones]")
      ->type_name("NAME");
  add_tiling(*command, options.tiling);
  command
      ->add_option("--padding", options.padding,
                   "How frames are padded: improved (right and bottom) or paper (on all sides)")
      ->check(CLI::IsMember({"improved", "paper"}))
      ->capture_default_str();
  command->add_option("--device", options.device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  add_operand(*command, "FRAMES_DIR", options.input,
              "Folder of frames, sorted by name with numbers as numbers; subfolders are "
              "sequences of their own; only read");
  add_operand(*command, "OUTPUT_DIR", options.output,
              "Folder for NUMBER.png and copies of the originals");
  add_existing(*command, options.existing);
  add_threads(*command, options.threads);
  return command;
}

}  // namespace examples
