#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/core/window.hpp>
#include <limpid/datasets/image_pair.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/inference/routing_features.hpp>
#include <limpid/io/image.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/model/any_model.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace limpid {

/// A picture that a router learns from: what it sees, and what each task would gain.
struct RoutingSample {
  std::int64_t picture = 0;   ///< samples of one photograph share its number
  at::Tensor features;        ///< `routing_features`
  std::vector<double> gains;  ///< in dB of PSNR, one for each of the model's tasks
};

/// How samples are gathered.
struct RoutingSamplesOptions {
  std::int64_t count = 400;  ///< pairs of each set that are looked at; all where it has fewer
  std::int64_t side = 256;   ///< of the window that is drawn of each, in pixels
  std::int64_t steps = 2;    ///< restorations that are tried one after another, the best first
  std::uint64_t seed = 0;
};

namespace detail {

/// A window of a pair, drawn by (seed, index).
inline ImagePair routing_pair(const Pairs& pairs, std::int64_t index,
                              const RoutingSamplesOptions& options) {
  auto random = Random::stream(options.seed, {static_cast<std::uint64_t>(index)});
  const auto window_of = [&](std::int64_t height, std::int64_t width) {
    const auto tall = std::min(height, options.side), wide = std::min(width, options.side);
    const auto top = random.below(height - tall + 1);
    return Window{top, random.below(width - wide + 1), tall, wide};
  };
  if (pairs.makes_parts()) {
    const auto base = pairs.base(index);
    const auto window = window_of(base.target.height(), base.target.width());
    return pairs.part(base, index, 0, window);
  }
  auto pair = pairs.load(index);
  const auto window = window_of(pair.target.height(), pair.target.width());
  return {pair.degraded.crop(window), pair.target.crop(window)};
}

/// PSNR that two equal pictures have here: beyond it nothing is gained or lost.
inline constexpr double kHighestPSNR = 60;

inline double bounded_psnr(const Image& picture, const Image& target) {
  return std::min(kHighestPSNR, PSNR<>{}(picture.unit(), target.unit()));
}

}  // namespace detail

/// Looks at pairs of any damages: what a router sees of each degraded picture, and how much each
/// task brings it closer to the target. Then the best task is done, and its result is looked at in
/// the same way: so a router learns to go on, and to stop.
///
/// @param pairs  of one or more damages, or none: equal pairs teach it to leave a picture alone
/// @param tell   how far it is: called with the number of pairs that are done; may be empty
/// @throws c10::ValueError for options out of range; c10::Error that names a pair that fails.
inline std::vector<RoutingSample> routing_samples(
    const AnyModel& model, const Pairs& pairs, const RoutingSamplesOptions& options = {},
    const std::function<void(std::int64_t done, std::int64_t of)>& tell = {}) {
  detail::check_at_least("routing_samples: count", options.count, 1);
  detail::check_at_least("routing_samples: side", options.side, 32);
  TORCH_CHECK_VALUE(options.side <= 1024, "routing_samples: expected a side of at most 1024, got ",
                    options.side);
  detail::check_at_least("routing_samples: steps", options.steps, 0);
  const auto chosen = pairs.spread(options.count);
  const auto& tasks = model.tasks;
  std::vector<RoutingSample> samples;
  for (std::int64_t i = 0; i < chosen.size(); ++i) {
    const auto pair = detail::routing_pair(chosen, i, options);
    auto picture = pair.degraded;
    std::set<std::size_t> done;
    for (std::int64_t step = 0; step <= options.steps && done.size() < tasks.size(); ++step) {
      const auto look = detail::routing_look(model, picture);
      RoutingSample sample{i, look.features, {}};
      const auto before = detail::bounded_psnr(picture, pair.target);
      std::optional<std::size_t> best;
      std::vector<Image> restored;
      for (std::size_t t = 0; t < tasks.size(); ++t) {
        restored.push_back(Image::from_unit(to_unit(look.restored[t])));
        sample.gains.push_back(detail::bounded_psnr(restored[t], pair.target) - before);
        const bool is_left = done.count(t) == 0;
        if (is_left && (!best || sample.gains[t] > sample.gains[*best])) best = t;
      }
      samples.push_back(std::move(sample));
      if (samples.back().gains[*best] <= 0) break;
      done.insert(*best);
      picture = restored[*best];
    }
    if (tell) tell(i + 1, chosen.size());
  }
  return samples;
}

}  // namespace limpid
