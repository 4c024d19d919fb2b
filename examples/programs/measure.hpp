#pragma once

#include <nlohmann/json.hpp>

#include <sys/resource.h>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace examples {

/// Runs the bodies one after the other, `warmup` times, then `runs` times with a clock: what else
/// the machine does meanwhile slows all of them.
///
/// `peak_mb` is the largest memory that this process ever had, weights and LibTorch included, MiB.
/// @return {"median_s", "min_s", "peak_mb", "runs"} of each body
inline std::vector<nlohmann::json> measure(std::int64_t warmup, std::int64_t runs,
                                           const std::vector<std::function<void()>>& bodies) {
  std::vector<std::vector<double>> seconds(bodies.size());
  for (auto i = -warmup; i < runs; ++i) {
    for (std::size_t j = 0; j < bodies.size(); ++j) {
      const auto began = std::chrono::steady_clock::now();
      bodies[j]();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      if (i >= 0) seconds[j].push_back(took.count());
    }
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::vector<nlohmann::json> found;
  for (auto& times : seconds) {
    std::sort(times.begin(), times.end());
    found.push_back({{"median_s", (times[(times.size() - 1) / 2] + times[times.size() / 2]) / 2},
                     {"min_s", times.front()},
                     {"peak_mb", static_cast<double>(usage.ru_maxrss) / 1024},
                     {"runs", runs}});
  }
  return found;
}

}  // namespace examples
