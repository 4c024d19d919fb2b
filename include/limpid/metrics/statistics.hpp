#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace limpid {

/// Mean and spread of the scores of many pictures, and what they leave out.
///
/// A picture that equals its target has an infinite PSNR, and one that is smaller than a window has
/// no SSIM: mean and deviation run over the finite scores, and the rest is counted beside them.
struct Statistics {
  /// Over `count` pictures; over none it is no number, also where all scores are infinite.
  double mean = std::numeric_limits<double>::quiet_NaN();
  double std = std::numeric_limits<double>::quiet_NaN();  ///< of the population: divided by count
  std::int64_t count = 0;  ///< pictures that mean and deviation run over
  std::int64_t exact = 0;  ///< pictures left out because their score is infinite
  std::int64_t none = 0;   ///< pictures left out because they have no score

  std::int64_t left_out() const { return exact + none; }
  std::int64_t pictures() const { return count + left_out(); }
};

/// @param scores  of each picture; not a number where it has none
inline Statistics statistics(const std::vector<double>& scores) {
  Statistics result;
  double sum = 0;
  for (const auto score : scores) {
    if (std::isnan(score)) {
      ++result.none;
    } else if (std::isinf(score)) {
      ++result.exact;
    } else {
      ++result.count;
      sum += score;
    }
  }
  if (result.count == 0) return result;
  const auto count = static_cast<double>(result.count);
  result.mean = sum / count;
  double squares = 0;
  for (const auto score : scores) {
    if (std::isfinite(score)) squares += (score - result.mean) * (score - result.mean);
  }
  result.std = std::sqrt(squares / count);
  return result;
}

/// `after[i] - before[i]` where both are finite, else no number.
inline std::vector<double> paired_differences(const std::vector<double>& before,
                                              const std::vector<double>& after) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool both = std::isfinite(before[i]) && std::isfinite(after.at(i));
    differences.push_back(both ? after[i] - before[i] : std::numeric_limits<double>::quiet_NaN());
  }
  return differences;
}

/// What restoring gains, picture by picture: the statistics of `restored[i] - identity[i]` over the
/// pictures where both are finite. A picture where one is infinite counts as `exact`, one where one
/// is missing as `none`; where no picture is left the gain is no number.
inline Statistics gain_statistics(const std::vector<double>& identity,
                                  const std::vector<double>& restored) {
  std::vector<double> differences;
  std::int64_t exact = 0;
  for (std::size_t i = 0; i < identity.size(); ++i) {
    const auto before = identity[i], after = restored.at(i);
    if (!std::isnan(before) && !std::isnan(after) && (std::isinf(before) || std::isinf(after))) {
      ++exact;
    } else {
      differences.push_back(after - before);
    }
  }
  auto result = statistics(differences);
  result.exact = exact;
  return result;
}

}  // namespace limpid
