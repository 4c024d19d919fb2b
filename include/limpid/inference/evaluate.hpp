#pragma once

#include <limpid/datasets/pairs.hpp>
#include <limpid/io/image.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/scores.hpp>

#include <c10/util/Exception.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// One picture of an evaluation, as it is scored.
struct EvaluatedPicture {
  std::int64_t index = 0;
  std::string name;
  Image degraded;
  Image restored;
  Image target;
};

/// Restores each degraded picture and scores it, and the degraded one, against the target.
///
/// ```cpp
/// const auto scores = evaluate("deblur", GoPro{root}.test(), [&](const Image& degraded) {
///   return restorer.restore<"deblur">(degraded);
/// });
/// ```
///
/// @param restore  degraded picture -> restored picture, of the same size
/// @param each     called after each picture, to show progress or to keep it; may be empty
/// @throws c10::ValueError where there are no pairs, and what a pair that cannot be read throws: a
///         mean over the rest would not be comparable.
inline TaskEvaluation evaluate(std::string task, const Pairs& pairs,
                               const std::function<Image(const Image&)>& restore,
                               std::vector<AnyMetric> metrics = default_metrics(),
                               const std::function<void(const EvaluatedPicture&)>& each = {}) {
  TORCH_CHECK_VALUE(!pairs.empty(), "evaluate: task '", task, "' has no pairs");
  TaskEvaluation evaluation{std::move(task), std::move(metrics)};
  for (std::int64_t i = 0; i < pairs.size(); ++i) {
    auto pair = pairs.load(i);
    const EvaluatedPicture picture{i, pairs.name(i), pair.degraded, restore(pair.degraded),
                                   pair.target};
    evaluation.add(picture.name, picture.degraded.unit(), picture.restored.unit(),
                   picture.target.unit());
    if (each) each(picture);
  }
  return evaluation;
}

}  // namespace limpid
