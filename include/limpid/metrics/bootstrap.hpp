#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace limpid {

/// How a confidence interval is drawn.
struct BootstrapOptions {
  double level = 0.95;          ///< share of the draws that the interval holds
  std::int64_t draws = 10'000;  ///< sets of pictures that are drawn
  std::uint64_t seed = 0;       ///< the same seed draws the same pictures, for each metric
};

/// "95 %"
inline std::string level_text(const BootstrapOptions& options) {
  char text[32];
  std::snprintf(text, sizeof text, "%g %%", 100 * options.level);
  return text;
}

namespace detail {

/// The quantile of sorted values, between two of them on the line that joins them: NumPy's default.
inline double quantile(const std::vector<double>& sorted, double share) {
  const auto place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

}  // namespace detail

/// Where the mean over all pictures of this kind lies, as far as these tell: the percentile
/// bootstrap. As many pictures as there are, are drawn from them with replacement, many times; the
/// interval holds the middle share of the means.
///
/// Source: Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 1979.
/// @param scores  of each picture; those that are not finite are left out, as a mean leaves them
/// @return nothing for fewer than two finite scores
/// @throws c10::ValueError unless 0 < level < 1 and draws >= 1.
inline std::optional<Interval> mean_interval(const std::vector<double>& scores,
                                             const BootstrapOptions& options = {}) {
  TORCH_CHECK_VALUE(options.level > 0 && options.level < 1,
                    "mean_interval: expected a level between 0 and 1, got ", options.level);
  detail::check_at_least("mean_interval: draws", options.draws, 1);
  std::vector<double> finite;
  for (const auto score : scores) {
    if (std::isfinite(score)) finite.push_back(score);
  }
  if (finite.size() < 2) return std::nullopt;
  Random random{options.seed};
  const auto count = static_cast<std::int64_t>(finite.size());
  std::vector<double> means(static_cast<std::size_t>(options.draws));
  for (auto& mean : means) {
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      sum += finite[static_cast<std::size_t>(random.below(count))];
    }
    mean = sum / static_cast<double>(count);
  }
  std::sort(means.begin(), means.end());
  const auto outside = (1 - options.level) / 2;
  return Interval{detail::quantile(means, outside), detail::quantile(means, 1 - outside)};
}

}  // namespace limpid
