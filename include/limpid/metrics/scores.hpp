#pragma once

#include <limpid/metrics/any_metric.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// Mean and spread of the scores of many pictures.
///
/// A picture that equals its target has an infinite PSNR; one of those would hide all others, so
/// mean and deviation are over the finite scores, and `infinite` says how many were left out.
/// Where all are infinite the mean is infinite. A score that is no number makes the mean none,
/// unless its metric says that the picture has no score: those are left out, and `undefined` says
/// how many.
struct Statistics {
  double mean = std::numeric_limits<double>::quiet_NaN();
  double std = std::numeric_limits<double>::quiet_NaN();  ///< of the population: divided by n
  std::int64_t count = 0;      ///< all scores, infinite and undefined ones included
  std::int64_t infinite = 0;   ///< those left out as infinite
  std::int64_t undefined = 0;  ///< those left out as undefined
};

/// @param undefined  so many more pictures have no score.
/// @return mean and std that are not numbers where there is no score.
inline Statistics statistics(const std::vector<double>& scores, std::int64_t undefined = 0) {
  Statistics result;
  const auto defined = static_cast<std::int64_t>(scores.size());
  result.count = defined + undefined;
  result.undefined = undefined;
  double sum = 0, infinities = 0;
  for (const auto score : scores) {
    if (std::isinf(score)) {
      ++result.infinite;
      infinities += score;
    } else {
      sum += score;
    }
  }
  const auto finite = static_cast<double>(defined - result.infinite);
  if (finite == 0) {
    if (defined == 0) return result;
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

/// What one picture scored under each metric, in the order of an evaluation's metrics.
struct PictureScores : std::vector<double> {
  using std::vector<double>::vector;

  /// Scores `image` with every metric; `only_alone` leaves out those that need a target: their
  /// scores are no numbers.
  PictureScores(const std::vector<AnyMetric>& metrics, const at::Tensor& image,
                const at::Tensor& target, bool only_alone = false) {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const bool asked = !only_alone || !metrics[i].needs_target;
      push_back(asked ? metrics[i](image, target) : std::numeric_limits<double>::quiet_NaN());
      if (!asked || !std::isnan(back())) continue;
      if (auto reason = metrics[i].undefined(image); !reason.empty()) undefined[i] = reason;
    }
  }

  std::map<std::size_t, std::string> undefined;  ///< why a metric, by its number, has no score
};

/// Statistics of metric number `index`. @param of  element -> its `PictureScores`.
template <class Range, class Of>
Statistics statistics_of(const Range& pictures, std::size_t index, Of of) {
  std::vector<double> values;
  std::int64_t undefined = 0;
  for (const auto& picture : pictures) {
    const PictureScores& scores = of(picture);
    if (scores.undefined.count(index) != 0) {
      ++undefined;
    } else {
      values.push_back(scores.at(index));
    }
  }
  return statistics(values, undefined);
}

/// What one picture scored.
struct ImageScores {
  std::string name;
  PictureScores identity;     ///< the degraded picture against the target
  PictureScores restored;     ///< the restored picture against the target
  PictureScores target = {};  ///< the target alone: only for metrics that need none, else NaN
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
    images.push_back({std::move(name), PictureScores{metrics, degraded, target},
                      PictureScores{metrics, restored, target},
                      PictureScores{metrics, target, target, true}});
  }

  /// Statistics of metric number `index` over the degraded pictures.
  Statistics identity(std::size_t index) const { return over(&ImageScores::identity, index); }

  /// Statistics of metric number `index` over the restored pictures.
  Statistics restored(std::size_t index) const { return over(&ImageScores::restored, index); }

  /// Statistics of metric number `index`, one that needs no target, over the targets.
  Statistics target(std::size_t index) const { return over(&ImageScores::target, index); }

 private:
  Statistics over(PictureScores ImageScores::*scores, std::size_t index) const {
    return statistics_of(images, index, [&](const ImageScores& image) -> const PictureScores& {
      return image.*scores;
    });
  }
};

/// The scores of the output of any program against true pictures.
struct Comparison {
  struct Image {
    std::string name;
    PictureScores scores;  ///< in the order of `metrics`
  };

  std::vector<AnyMetric> metrics = default_metrics();
  std::vector<Image> images{};

  /// Scores one picture, (3, H, W) or (1, 3, H, W), values in [0, 1].
  void add(std::string name, const at::Tensor& restored, const at::Tensor& target) {
    images.push_back({std::move(name), PictureScores{metrics, restored, target}});
  }

  /// Statistics of metric number `index`.
  Statistics compared(std::size_t index) const {
    return statistics_of(images, index,
                         [](const Image& image) -> const PictureScores& { return image.scores; });
  }
};

}  // namespace limpid
