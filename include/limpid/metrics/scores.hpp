#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <limpid/metrics/any_metric.hpp>

namespace limpid {

/// Mean and spread of the scores of many pictures.
///
/// A picture that equals its target has an infinite PSNR; one of those would hide all others, so
/// mean and deviation are over the finite scores, and `infinite` says how many were left out.
/// Where all are infinite the mean is infinite. A score that is no number makes the mean none.
struct Statistics {
  double mean = std::numeric_limits<double>::quiet_NaN();
  double std = std::numeric_limits<double>::quiet_NaN();  ///< of the population: divided by n
  std::int64_t count = 0;                                 ///< all scores, infinite ones included
  std::int64_t infinite = 0;                              ///< those left out
};

/// @return mean and std that are not numbers where there is no score.
inline Statistics statistics(const std::vector<double>& scores) {
  Statistics result;
  result.count = static_cast<std::int64_t>(scores.size());
  double sum = 0, infinities = 0;
  for (const auto score : scores) {
    if (std::isinf(score)) {
      ++result.infinite;
      infinities += score;
    } else {
      sum += score;
    }
  }
  const auto finite = static_cast<double>(result.count - result.infinite);
  if (finite == 0) {
    if (result.count == 0) return result;
    result.mean = infinities;
    result.std = 0;
    return result;
  }
  result.mean = sum / finite;
  double squares = 0;
  for (const auto score : scores) {
    if (!std::isinf(score)) squares += (score - result.mean) * (score - result.mean);
  }
  result.std = std::sqrt(squares / finite);
  return result;
}

/// What one picture scored, one value per metric, in the order of the evaluation's metrics.
struct ImageScores {
  std::string name;
  std::vector<double> identity;  ///< the degraded picture against the target
  std::vector<double> restored;  ///< the restored picture against the target
};

/// The scores of one task: a restored score means nothing without the degraded input's own.
struct TaskEvaluation {
  std::string task;
  std::vector<AnyMetric> metrics = default_metrics();
  std::vector<ImageScores> images{};

  /// Scores one picture; all three (3, H, W) or (1, 3, H, W) of one size, values in [0, 1].
  ///
  /// @throws c10::ValueError where a metric refuses the pictures; then nothing is added.
  void add(std::string name, const at::Tensor& degraded, const at::Tensor& restored,
           const at::Tensor& target) {
    ImageScores scores{std::move(name), {}, {}};
    for (const auto& metric : metrics) {
      scores.identity.push_back(metric(degraded, target));
      scores.restored.push_back(metric(restored, target));
    }
    images.push_back(std::move(scores));
  }

  /// Statistics of metric number `index` over the degraded pictures.
  Statistics identity(std::size_t index) const { return over(&ImageScores::identity, index); }

  /// Statistics of metric number `index` over the restored pictures.
  Statistics restored(std::size_t index) const { return over(&ImageScores::restored, index); }

 private:
  Statistics over(std::vector<double> ImageScores::*scores, std::size_t index) const {
    std::vector<double> values;
    for (const auto& image : images) values.push_back((image.*scores).at(index));
    return statistics(values);
  }
};

/// The scores of the output of any program against true pictures.
struct Comparison {
  struct Image {
    std::string name;
    std::vector<double> scores;  ///< in the order of `metrics`
  };

  std::vector<AnyMetric> metrics = default_metrics();
  std::vector<Image> images{};

  /// Scores one picture, (3, H, W) or (1, 3, H, W), values in [0, 1].
  void add(std::string name, const at::Tensor& restored, const at::Tensor& target) {
    Image image{std::move(name), {}};
    for (const auto& metric : metrics) image.scores.push_back(metric(restored, target));
    images.push_back(std::move(image));
  }

  /// Statistics of metric number `index`.
  Statistics compared(std::size_t index) const {
    std::vector<double> values;
    for (const auto& image : images) values.push_back(image.scores.at(index));
    return statistics(values);
  }
};

}  // namespace limpid
