#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace limpid {

/// Steps of one epoch, from the number of batches that each task's data give. Data sets that end
/// earlier begin again, shuffled anew. A lambda is one.
using EpochPolicy = std::function<std::int64_t(const std::vector<std::int64_t>& batches)>;

/// An epoch ends when the smallest data set has been seen once (what the published code does).
struct ShortestEpoch {
  std::int64_t operator()(const std::vector<std::int64_t>& batches) const {
    return *std::min_element(batches.begin(), batches.end());
  }
};

/// An epoch ends when the largest data set has been seen once.
struct LongestEpoch {
  std::int64_t operator()(const std::vector<std::int64_t>& batches) const {
    return *std::max_element(batches.begin(), batches.end());
  }
};

/// An epoch is a number of steps.
struct FixedSteps {
  std::int64_t steps = 1000;

  std::int64_t operator()(const std::vector<std::int64_t>&) const { return steps; }
};

}  // namespace limpid
