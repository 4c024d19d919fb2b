#pragma once

#include <limpid/core/errors.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/io/image.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/default_metrics.hpp>
#include <limpid/metrics/scores.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// One picture of an evaluation, as it is scored.
struct EvaluatedPicture {
  std::int64_t index = 0;
  std::string name;
  Image degraded{};
  Image restored{};
  Image target{};
};

/// What was made of a degraded picture: an `Image`, or values that are not rounded to 8 bits.
struct RestoredPicture {
  Image image;
  at::Tensor unrounded;  ///< undefined where only the image is known

  RestoredPicture(Image made) : image(std::move(made)) {}

  /// @param unit  (3, H, W) or (1, 3, H, W), values in [0, 1]: `Restorer::restore_unit`.
  static RestoredPicture of_unit(at::Tensor unit) {
    RestoredPicture made{Image::from_unit(unit)};
    made.unrounded = std::move(unit);
    return made;
  }
};

/// Restores each degraded picture and scores it, and the degraded one, against the target.
///
/// ```cpp
/// const auto scores = evaluate("deblur", GoPro{root}.test(), [&](const Image& degraded) {
///   return restorer.restore<"deblur">(degraded);
/// });
/// ```
///
/// A score that a picture cannot have is left out, with the reason (`PictureScores`). A pair that
/// cannot be read or restored has no score and says why (`ImageScores::error`); the others go on,
/// and `TaskEvaluation::failed` counts them.
///
/// @param restore  degraded picture -> restored picture, of the same size. Metrics that look at
///                 values not rounded to 8 bits see those of `RestoredPicture::of_unit`
/// @param each     called after each picture that has been scored, to show progress or to keep it;
///                 may be empty; what it throws ends the evaluation
/// @throws c10::ValueError where there are no pairs.
inline TaskEvaluation evaluate(std::string task, const Pairs& pairs,
                               const std::function<RestoredPicture(const Image&)>& restore,
                               std::vector<AnyMetric> metrics = default_metrics(),
                               const std::function<void(const EvaluatedPicture&)>& each = {}) {
  TORCH_CHECK_VALUE(!pairs.empty(), "evaluate: task '", task, "' has no pairs");
  TaskEvaluation evaluation{std::move(task), std::move(metrics)};
  for (std::int64_t i = 0; i < pairs.size(); ++i) {
    const auto name = pairs.name(i);
    EvaluatedPicture scored{i, name};
    try {
      const auto pair = pairs.load(i);
      scored.degraded = pair.degraded;
      const auto restored = restore(pair.degraded);
      scored.restored = restored.image;
      scored.target = pair.target;
      evaluation.add(name, scored.degraded.unit(), scored.restored.unit(), scored.target.unit(),
                     restored.unrounded);
    } catch (const std::exception& error) {
      evaluation.add_failed(name, error_text(error));
      continue;
    }
    if (each) each(scored);
  }
  return evaluation;
}

}  // namespace limpid
