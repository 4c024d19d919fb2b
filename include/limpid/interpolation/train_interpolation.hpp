#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/random.hpp>
#include <limpid/interpolation/adamax.hpp>
#include <limpid/interpolation/frame_triplets.hpp>
#include <limpid/interpolation/interpolate.hpp>
#include <limpid/interpolation/sepconv_file.hpp>
#include <limpid/interpolation/sepconv_network.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/metrics/statistics.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// How an interpolation network is trained.
struct InterpolationTrainingOptions {
  std::int64_t steps = 0;       ///< ends after so many; 0: `minutes` decides
  double minutes = 0;           ///< ends after so long, earlier sittings included
  std::int64_t crop = 128;      ///< side of a crop, pixels: the paper's
  std::int64_t batch = 2;       ///< crops in a step: many small steps suit a short run
  double learning_rate = 1e-3;  ///< the paper's; falls to a twentieth in the run's second half
  std::uint64_t seed = 0;       ///< of the crops
  Precision precision = Precision::float32;
  std::filesystem::path state = {};  ///< where all that a resume needs is kept; empty: nowhere
  bool resume = false;               ///< goes on from `state`, if there is such a file
  double save_every = 60;            ///< seconds from one `state` to the next
};

/// How far a training is.
struct InterpolationProgress {
  std::int64_t step = 0;
  double seconds = 0;  ///< of all sittings
  double done = 0;     ///< 0 ... 1
  double loss = 0;     ///< of this step, mean absolute difference
};

/// PSNR over triplets, in dB, of the middle frame as a network makes it and as the mean of both
/// neighbours. Means run over the same triplets: one that either makes exactly, as between repeated
/// frames, is left out of both.
struct InterpolationScore {
  double network = 0;  ///< mean; no number where no triplet is left
  double average = 0;  ///< likewise
  std::int64_t triplets = 0;
  std::int64_t left_out = 0;  ///< of these, out of both means
  std::int64_t better = 0;    ///< triplets whose middle the network makes better
};

/// Measures a network on whole frames; at most `most` triplets, evenly spaced (0: all).
inline InterpolationScore score_interpolation(SepConvNetwork network, FrameTriplets& triplets,
                                              std::int64_t most = 0,
                                              const InterpolationOptions& options = {}) {
  TORCH_CHECK_VALUE(triplets.size() > 0, "score_interpolation: expected triplets, found none");
  const bool was_training = network->is_training();
  network->eval();
  const auto count = static_cast<std::int64_t>(triplets.size());
  const auto used = most > 0 ? std::min(most, count) : count;
  InterpolationScore score;
  std::vector<double> by_network, by_average;
  const PSNR<> psnr;
  for (std::int64_t i = 0; i < used; ++i) {
    const auto images = triplets.images(static_cast<std::size_t>(i * count / used));
    const auto before = images[0].unit(), target = images[1].unit(), after = images[2].unit();
    const auto made = psnr(interpolate(network, before, after, options), target);
    const auto mean = psnr((before + after) / 2, target);
    score.better += made > mean ? 1 : 0;
    if (!std::isfinite(made) || !std::isfinite(mean)) continue;
    by_network.push_back(made);
    by_average.push_back(mean);
  }
  score.network = statistics(by_network).mean;
  score.average = statistics(by_average).mean;
  score.triplets = used;
  score.left_out = used - static_cast<std::int64_t>(by_network.size());
  network->train(was_training);
  return score;
}

namespace detail {

/// What must be equal for a resume.
inline nlohmann::json training_conditions(const SepConvNetwork& network,
                                          const FrameTriplets& triplets,
                                          const InterpolationTrainingOptions& options) {
  return {{"network", network->options()},
          {"triplets", triplets.size()},
          {"crop", options.crop},
          {"batch", options.batch},
          {"learning_rate", options.learning_rate},
          {"seed", options.seed}};
}

/// A batch of crops (N, 3, 3, side, side), drawn by the seed and the step alone.
inline at::Tensor draw_batch(FrameTriplets& triplets, const InterpolationTrainingOptions& options,
                             std::int64_t step) {
  std::vector<at::Tensor> crops;
  for (std::int64_t i = 0; i < options.batch; ++i) {
    auto random = Random::stream(options.seed,
                                 {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(i)});
    crops.push_back(triplets.draw(options.crop, random));
  }
  return at::stack(crops);
}

inline void save_training(const std::filesystem::path& path, const SepConvNetwork& network,
                          const Adamax& optimizer, const nlohmann::json& conditions,
                          double seconds) {
  TensorFile file{optimizer.state(), {}};
  for (const auto& item : network->named_parameters()) file.tensors[item.key()] = item.value();
  file.metadata["conditions"] = json_line(conditions);
  file.metadata["seconds"] = std::to_string(seconds);
  write_safetensors(path, file);
}

/// Takes up what `save_training` wrote. @return the seconds so far.
inline double resume_training(const std::filesystem::path& path, SepConvNetwork network,
                              Adamax& optimizer, const nlohmann::json& conditions) {
  const auto source = "training state '" + path.string() + "'";
  auto file = read_safetensors(path);
  const auto found = nlohmann::json::parse(file.metadata["conditions"], nullptr, false);
  TORCH_CHECK(found.is_object(), source, ": expected metadata 'conditions', found none");
  for (const auto& [name, expected] : conditions.items()) {
    const auto there = found.value(name, nlohmann::json{});
    TORCH_CHECK(there == expected, source, ": expected ", name, " ", json_excerpt(expected),
                ", found ", json_excerpt(there), "; resume with the same options, or start anew");
  }
  optimizer.load_state(file.tensors, source);
  std::map<std::string, at::Tensor> weights;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.rfind("adamax.", 0) != 0) weights.emplace(name, tensor);
  }
  load_weights(weights_of(network), TensorFile{std::move(weights), {}}, source, NameMap{});
  try {
    return std::stod(file.metadata["seconds"]);
  } catch (const std::exception&) {
    detail::fail(source, ": expected metadata 'seconds', found '",
                 file.metadata["seconds"].substr(0, 80), "'");
  }
}

}  // namespace detail

/// Trains a network to give the middle frame of triplets, by the mean absolute difference.
///
/// Source: Niklaus, Mai and Liu, ICCV 2017, sec. 3.1: Adamax, crops of 128, mirrored and reversed
/// in time at random. Differs: crops are drawn evenly, not by their motion; small batches, and the
/// learning rate falls in the second half of the run, since runs here are minutes, not days.
///
/// @param network  trained where it is; `start_from_average` makes a good beginning
/// @param go_on    called after each step; false stops, and `state` is written
/// @throws c10::ValueError for options that do not fit; c10::Error for frames that cannot be read,
///         a state of other options, or a loss that is not finite.
inline InterpolationProgress train_interpolation(
    SepConvNetwork network, FrameTriplets& triplets, const InterpolationTrainingOptions& options,
    const std::function<bool(const InterpolationProgress&)>& go_on = {}) {
  TORCH_CHECK_VALUE(options.steps > 0 || options.minutes > 0,
                    "train_interpolation: expected steps or minutes, got none");
  TORCH_CHECK_VALUE(triplets.size() > 0, "train_interpolation: expected triplets, found none");
  detail::check_at_least("train_interpolation: batch", options.batch, 1);
  detail::check_positive("train_interpolation: learning_rate", options.learning_rate);
  const auto multiple = network->options().multiple();
  TORCH_CHECK_VALUE(options.crop >= multiple && options.crop % multiple == 0,
                    "train_interpolation: crop must be a multiple of ", multiple, ", got ",
                    options.crop);

  Adamax::Parameters parameters;
  for (const auto& item : network->named_parameters()) {
    parameters.emplace_back(item.key(), item.value());
  }
  const auto device = parameters.front().second.device();
  Adamax optimizer{parameters};
  const auto conditions = detail::training_conditions(network, triplets, options);
  InterpolationProgress progress;
  double earlier = 0;
  if (options.resume && std::filesystem::exists(options.state)) {
    earlier = detail::resume_training(options.state, network, optimizer, conditions);
    progress.step = optimizer.steps();
  }

  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto look = [&] {
    progress.seconds = earlier + std::chrono::duration<double>(Clock::now() - start).count();
    const auto by_steps =
        options.steps > 0 ? static_cast<double>(progress.step) / static_cast<double>(options.steps)
                          : 0.0;
    const auto by_time = options.minutes > 0 ? progress.seconds / (60 * options.minutes) : 0.0;
    progress.done = std::min(1.0, std::max(by_steps, by_time));
  };
  look();
  auto saved = progress.seconds;
  network->train();
  while (progress.done < 1) {
    const auto batch = detail::draw_batch(triplets, options, progress.step).to(device);
    optimizer.forget_gradients();
    at::Tensor loss;
    {
      const AutocastScope autocast{options.precision, device};
      const auto made = network->forward(batch.select(1, 0), batch.select(1, 2));
      loss = (made - batch.select(1, 1)).abs().mean();
      loss.backward();
    }
    progress.loss = loss.item<double>();
    TORCH_CHECK(std::isfinite(progress.loss), "train_interpolation: the loss of step ",
                progress.step + 1, " is not finite; a smaller learning_rate may help");
    const auto falling = std::min(1.0, 2 * (1 - progress.done));
    optimizer.step(options.learning_rate * std::max(0.05, falling));
    ++progress.step;
    look();
    const bool stopped = go_on && !go_on(progress);
    const bool due = progress.seconds - saved >= options.save_every;
    if (!options.state.empty() && (stopped || due || progress.done >= 1)) {
      detail::save_training(options.state, network, optimizer, conditions, progress.seconds);
      saved = progress.seconds;
    }
    if (stopped) break;
  }
  network->eval();
  return progress;
}

}  // namespace limpid
