#pragma once

#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/picture_scores.hpp>
#include <limpid/metrics/statistics.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>

#include <cstddef>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace limpid {

/// What a metric of sets says of many pictures: the score as `mean`, without a deviation, and over
/// how many pictures. One without features, of itself or of its target, counts as `none`.
/// @param features  of each picture and of its target
inline Statistics set_statistics(
    const AnyMetric& metric, std::size_t index,
    const std::vector<std::pair<const SetFeatures*, const SetFeatures*>>& features) {
  Statistics result;
  std::vector<at::Tensor> restored, target;
  for (const auto& [image, true_image] : features) {
    const auto a = image->find(index), b = true_image->find(index);
    if (a == image->end() || b == true_image->end()) {
      ++result.none;
      continue;
    }
    restored.push_back(a->second);
    target.push_back(b->second);
  }
  result.count = static_cast<std::int64_t>(restored.size());
  if (result.count > 0) {
    result.mean = metric.set_score(at::stack(restored), at::stack(target));
  }
  return result;
}

/// Keeps what `set_statistics` found, which takes seconds, until there are more pictures.
class SetStatisticsCache {
 public:
  using Key = std::pair<int, std::size_t>;  ///< what is scored, and the number of the metric

  const Statistics& of(Key key, std::size_t pictures, const std::function<Statistics()>& find) {
    auto& [count, found] = known_[key];
    if (count != pictures) found = find(), count = pictures;
    return found;
  }

 private:
  std::map<Key, std::pair<std::size_t, Statistics>> known_;
};

}  // namespace limpid
