#pragma once

// limpid-transfer: the gains for terminals.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "../output.hpp"
#include "page.hpp"
#include "results.hpp"

namespace examples {

/// Prints the gains over each task alone, an asterisk behind what is beyond noise, and what is
/// found.
inline void print_transfer(const TransferResults& results) {
  const auto metric = transfer_metrics().front();
  const auto gains = transfer_gains(results, metric.name);
  std::size_t widest = 9;
  for (const auto& weighting : results.weightings()) widest = std::max(widest, weighting.size());
  const auto width = static_cast<int>(widest);
  print("%-*s", width, "weighting");
  for (const auto& task : results.tasks()) print("  %10s", task.c_str());
  print("  %10s\n", "mean");
  for (const auto& weighting : results.weightings()) {
    print("%-*s", width, weighting.c_str());
    for (const auto& gain : gains) {
      if (gain.weighting != weighting) continue;
      print("  %9s%s", transfer_number(gain.difference.mean, digits_of(metric), true).c_str(),
            gain.is_beyond_noise() ? "*" : " ");
    }
    print("\n");
  }
  print("%s, gain over each task alone; *: beyond noise\n%s\n%s\n", metric.label.c_str(),
        finding(gains, "each task alone").c_str(),
        finding(transfer_gains(results, metric.name, kPlainSum), "equal weights").c_str());
}

}  // namespace examples
