#pragma once

#include <nlohmann/json.hpp>

#include <sys/resource.h>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace examples {

/// Runs `body` `warmup` times, then `runs` times with a clock.
///
/// `peak_mb` is the largest memory that this process ever had, weights and LibTorch included, MiB.
/// @return {"median_s", "min_s", "peak_mb", "runs"}
template <class Body>
nlohmann::json measure(std::int64_t warmup, std::int64_t runs, Body body) {
  std::vector<double> seconds;
  for (auto i = -warmup; i < runs; ++i) {
    const auto began = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    if (i >= 0) seconds.push_back(took.count());
  }
  std::sort(seconds.begin(), seconds.end());
  const auto median = (seconds[(seconds.size() - 1) / 2] + seconds[seconds.size() / 2]) / 2;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {{"median_s", median},
          {"min_s", seconds.front()},
          {"peak_mb", static_cast<double>(usage.ru_maxrss) / 1024},
          {"runs", runs}};
}

}  // namespace examples
