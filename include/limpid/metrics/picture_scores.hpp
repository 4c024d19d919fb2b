#pragma once

#include <limpid/metrics/any_metric.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace limpid {

/// What metrics of sets look at in one picture, by the number of the metric: (D) each.
using SetFeatures = std::map<std::size_t, at::Tensor>;

/// The features of `image` under those of `metrics` that score whole sets.
inline SetFeatures set_features(const std::vector<AnyMetric>& metrics, const at::Tensor& image) {
  SetFeatures features;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (metrics[i].of_set) features.emplace(i, metrics[i].features(image));
  }
  return features;
}

/// What one picture scored under each metric, in the order of an evaluation's metrics.
///
/// A score that the picture cannot have is no number, and `reasons` says why: the picture is
/// smaller than the metric's window, or has flat blocks. Other metrics' scores stay. Under a metric
/// of sets a picture has no score but `features`.
struct PictureScores : std::vector<double> {
  using std::vector<double>::vector;

  /// Scores `image` with every metric; `only_alone` leaves out those that need a target: their
  /// scores are no numbers, without a reason.
  ///
  /// @throws c10::ValueError where image and target are not both (3, H, W) or (1, 3, H, W) of one
  ///         size, or hold values that are not finite.
  PictureScores(const std::vector<AnyMetric>& metrics, const at::Tensor& image,
                const at::Tensor& target, bool only_alone = false) {
    check(image, target);
    features = set_features(metrics, image);
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      push_back(std::numeric_limits<double>::quiet_NaN());
      if (metrics[i].of_set) continue;
      if (!only_alone || !metrics[i].needs_target) score(metrics[i], i, image, target);
    }
  }

  /// Scores `image` anew with the metrics that look at values not rounded to 8 bits.
  void score_unrounded(const std::vector<AnyMetric>& metrics, const at::Tensor& image,
                       const at::Tensor& target) {
    check(image, target);
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      if (!metrics[i].unrounded || metrics[i].of_set) continue;
      reasons.erase(i);
      score(metrics[i], i, image, target);
    }
  }

  /// No score under any metric, each for the same reason: the picture cannot be read or restored.
  static PictureScores none(const std::vector<AnyMetric>& metrics, const std::string& why,
                            bool only_alone = false) {
    PictureScores scores;
    scores.resize(metrics.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      if (!only_alone || !metrics[i].needs_target) scores.reasons[i] = why;
    }
    return scores;
  }

  std::map<std::size_t, std::string> reasons;  ///< why a metric, by its number, has no score
  SetFeatures features;                        ///< for metrics of sets

  /// Whether there is a score under any metric, or features for one.
  bool any() const {
    return !features.empty() ||
           std::any_of(begin(), end(), [](double score) { return !std::isnan(score); });
  }

 private:
  static void check(const at::Tensor& image, const at::Tensor& target) {
    for (const auto* picture : {&image, &target}) {
      const bool batched = picture->dim() == 4 && picture->size(0) == 1;
      TORCH_CHECK_VALUE((batched || picture->dim() == 3) && picture->size(-3) == 3,
                        "scores: expected image (3, H, W) or (1, 3, H, W), got ", picture->sizes());
      TORCH_CHECK_VALUE(at::isfinite(*picture).all().item<bool>(),
                        "scores: the picture holds values that are not finite");
    }
    TORCH_CHECK_VALUE(image.size(-2) == target.size(-2) && image.size(-1) == target.size(-1),
                      "scores: the picture is ", image.size(-1), " x ", image.size(-2),
                      ", its target ", target.size(-1), " x ", target.size(-2), " pixels");
  }

  void score(const AnyMetric& metric, std::size_t index, const at::Tensor& image,
             const at::Tensor& target) {
    auto& value = at(index);
    try {
      value = metric(image, target);
    } catch (const c10::ValueError& error) {
      reasons[index] = error.what_without_backtrace();
      return;
    }
    if (std::isinf(value) && (value > 0) != metric.higher_is_better) {
      reasons[index] = "the score is infinitely bad";
      value = std::numeric_limits<double>::quiet_NaN();
    } else if (std::isnan(value)) {
      auto reason = metric.undefined(image);
      reasons[index] = reason.empty() ? "the score is not a number" : std::move(reason);
    }
  }
};

}  // namespace limpid
