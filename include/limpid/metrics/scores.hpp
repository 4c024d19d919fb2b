#pragma once

#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/default_metrics.hpp>
#include <limpid/metrics/picture_scores.hpp>
#include <limpid/metrics/set_score.hpp>
#include <limpid/metrics/statistics.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// What one picture scored.
struct ImageScores {
  std::string name;
  PictureScores identity;     ///< the degraded picture against the target
  PictureScores restored;     ///< the restored picture against the target
  PictureScores target = {};  ///< the target alone: only for metrics that need none, else NaN
  std::string error = {};     ///< why it has no score at all: it cannot be read or restored
};

namespace detail {

template <class Images>
std::size_t count_failed(const Images& images) {
  return static_cast<std::size_t>(std::count_if(
      images.begin(), images.end(), [](const auto& image) { return !image.error.empty(); }));
}

}  // namespace detail

/// The scores of one task: what is restored means nothing without the scores of the degraded
/// pictures themselves.
struct TaskEvaluation {
  std::string task;
  std::vector<AnyMetric> metrics = default_metrics();
  std::vector<ImageScores> images{};
  mutable SetStatisticsCache set_scores{};  ///< what metrics of sets said last

  /// Scores one picture; all of them (3, H, W) or (1, 3, H, W) of one size, values in [0, 1].
  ///
  /// @param unrounded  the restored one before it was rounded to 8 bits, for the metrics that look
  ///   at such values (`AnyMetric::unrounded`); undefined: these see `restored`, too
  /// @throws c10::ValueError for other pictures; then nothing is added.
  void add(std::string name, const at::Tensor& degraded, const at::Tensor& restored,
           const at::Tensor& target, const at::Tensor& unrounded = {}) {
    PictureScores of_restored{metrics, restored, target};
    if (unrounded.defined()) of_restored.score_unrounded(metrics, unrounded, target);
    images.push_back({std::move(name), PictureScores{metrics, degraded, target},
                      std::move(of_restored), PictureScores{metrics, target, target, true}});
  }

  /// Adds a picture that cannot be read or restored: it has no score, and `why` for each.
  void add_failed(std::string name, const std::string& why) {
    images.push_back({std::move(name), PictureScores::none(metrics, why),
                      PictureScores::none(metrics, why), PictureScores::none(metrics, why, true),
                      why});
  }

  /// How many pictures could not be read or restored.
  std::size_t failed() const { return detail::count_failed(images); }

  /// The scores of metric number `index`, picture by picture: `scores(&ImageScores::restored, 0)`.
  std::vector<double> scores(PictureScores ImageScores::*which, std::size_t index) const {
    std::vector<double> values;
    for (const auto& image : images) values.push_back((image.*which).at(index));
    return values;
  }

  /// Statistics of metric number `index` over the degraded pictures.
  Statistics identity(std::size_t index) const {
    return statistics_of(&ImageScores::identity, index);
  }

  /// Statistics of metric number `index` over the restored pictures.
  Statistics restored(std::size_t index) const {
    return statistics_of(&ImageScores::restored, index);
  }

  /// What restoring adds to metric number `index`, picture by picture; no number where a picture
  /// lacks a finite score before or after.
  std::vector<double> gains(std::size_t index) const {
    return paired_differences(scores(&ImageScores::identity, index),
                              scores(&ImageScores::restored, index));
  }

  /// Statistics of what restoring adds to metric number `index`, over the pictures that have a
  /// finite score before and after; of a metric of sets, the difference of the two scores.
  Statistics gain(std::size_t index) const {
    if (metrics.at(index).of_set) {
      auto result = restored(index);
      result.mean -= identity(index).mean;
      return result;
    }
    return gain_statistics(scores(&ImageScores::identity, index),
                           scores(&ImageScores::restored, index));
  }

  /// Statistics of metric number `index`, one that needs no target, over the targets.
  Statistics target(std::size_t index) const {
    return statistics(scores(&ImageScores::target, index));
  }

  /// Statistics of metric number `index` over the degraded or the restored pictures.
  Statistics statistics_of(PictureScores ImageScores::*which, std::size_t index) const {
    if (!metrics.at(index).of_set) return statistics(scores(which, index));
    const int part = which == &ImageScores::identity ? 0 : 1;
    return set_scores.of({part, index}, images.size(), [&] {
      std::vector<std::pair<const SetFeatures*, const SetFeatures*>> features;
      for (const auto& image : images) {
        features.emplace_back(&(image.*which).features, &image.target.features);
      }
      return set_statistics(metrics[index], index, features);
    });
  }
};

/// The scores of the output of any program against true pictures.
struct Comparison {
  struct Image {
    std::string name;
    PictureScores scores;     ///< in the order of `metrics`
    std::string error = {};   ///< why it has no score at all: it cannot be read, or not compared
    SetFeatures target = {};  ///< of the target, for metrics of sets
  };

  std::vector<AnyMetric> metrics = default_metrics();
  std::vector<Image> images{};
  std::vector<std::string> notes{};         ///< what beside the pictures was passed over
  mutable SetStatisticsCache set_scores{};  ///< what metrics of sets said last

  /// Scores one picture, (3, H, W) or (1, 3, H, W), values in [0, 1].
  void add(std::string name, const at::Tensor& restored, const at::Tensor& target) {
    images.push_back({std::move(name),
                      PictureScores{metrics, restored, target},
                      {},
                      set_features(metrics, target)});
  }

  /// Adds a picture that cannot be read or compared: it has no score, and `why` for each.
  void add_failed(std::string name, const std::string& why) {
    images.push_back({std::move(name), PictureScores::none(metrics, why), why});
  }

  /// How many pictures could not be read or compared.
  std::size_t failed() const { return detail::count_failed(images); }

  /// The scores of metric number `index`, picture by picture.
  std::vector<double> scores(std::size_t index) const {
    std::vector<double> values;
    for (const auto& image : images) values.push_back(image.scores.at(index));
    return values;
  }

  /// Statistics of metric number `index`.
  Statistics compared(std::size_t index) const {
    if (!metrics.at(index).of_set) return statistics(scores(index));
    return set_scores.of({0, index}, images.size(), [&] {
      std::vector<std::pair<const SetFeatures*, const SetFeatures*>> features;
      for (const auto& image : images) {
        features.emplace_back(&image.scores.features, &image.target);
      }
      return set_statistics(metrics[index], index, features);
    });
  }
};

}  // namespace limpid
