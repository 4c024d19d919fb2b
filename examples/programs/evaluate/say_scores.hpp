#pragma once

// What limpid-evaluate says of scores, and of pictures that have none.

#include <limpid/core/fail.hpp>
#include <limpid/metrics/compare_folders.hpp>
#include <limpid/metrics/compare_programs.hpp>
#include <limpid/metrics/evaluation.hpp>

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "../failures.hpp"
#include "../program.hpp"

namespace examples {

/// The table, what its means leave out, and how each metric is computed, on standard output.
template <class Scores>
void print_scores(const Scores& scores, const std::vector<limpid::AnyMetric>& metrics) {
  print("%s\n", limpid::text_table(scores).c_str());
  for (const auto& line : limpid::left_out_lines(scores)) print("%s\n", line.c_str());
  if constexpr (std::is_same_v<Scores, limpid::PairedComparison>) {
    for (const auto& line : limpid::paired_notes(scores)) print("%s\n", line.c_str());
  } else {
    print("%s\n", limpid::interval_note().c_str());
  }
  if (std::is_same_v<Scores, limpid::Comparison> &&
      std::any_of(metrics.begin(), metrics.end(), [](const auto& m) { return m.pools(); })) {
    print(
        "pooled: the PSNR of the mean squared error over all pictures, exact ones too; compare "
        "programs by it where means leave pictures out\n");
  }
  for (const auto& metric : metrics) {
    print("%s: %s; %s is better\n", metric.name.c_str(), metric.protocol.c_str(),
          metric.higher_is_better ? "higher" : "lower");
  }
}

/// @throws c10::Error where nothing was measured: no picture has a score under any metric.
inline void check_measured(const std::vector<limpid::PictureScores>& pictures) {
  for (const auto& scores : pictures) {
    if (scores.any()) return;
  }
  limpid::fail("no picture has a score");
}

/// Adds the pictures that could not be measured, and says them.
template <class Images>
void say_failed(const std::string& task, const Images& images, Failures& failures,
                Progress& progress) {
  for (const auto& image : images) {
    if (!image.error.empty()) failures.add(task + image.name, image.error);
  }
  failures.say(progress);
}

}  // namespace examples
