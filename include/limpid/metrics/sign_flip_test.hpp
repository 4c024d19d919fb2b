#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/random.hpp>

#include <c10/util/Exception.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace limpid {

/// How signs are flipped.
struct SignFlipOptions {
  std::int64_t exact_up_to = 20;  ///< pictures for which all 2^n flips are looked at
  std::int64_t draws = 100'000;   ///< random flips for more pictures
  std::uint64_t seed = 0;
};

/// What a paired test found.
struct SignFlipTest {
  /// How often chance alone makes a mean difference at least as far from 0; no number without a
  /// difference.
  double p = std::numeric_limits<double>::quiet_NaN();
  bool exact = true;       ///< whether all flips were looked at
  std::int64_t flips = 0;  ///< how many were
  std::int64_t count = 0;  ///< pictures

  /// "exact, 2^12 sign flips", "100000 random sign flips, seed 0"
  std::string text(const SignFlipOptions& options = {}) const {
    return exact
               ? "exact, 2^" + std::to_string(count) + " sign flips"
               : std::to_string(flips) + " random sign flips, seed " + std::to_string(options.seed);
  }
};

namespace detail {

/// All sums of `values` from `first` to `last` with either sign before each.
inline std::vector<double> signed_sums(const std::vector<double>& values, std::size_t first,
                                       std::size_t last) {
  std::vector<double> sums{0.0};
  for (auto i = first; i < last; ++i) {
    const auto before = sums.size();
    for (std::size_t k = 0; k < before; ++k) {
      sums.push_back(sums[k] - values[i]);
      sums[k] += values[i];
    }
  }
  return sums;
}

}  // namespace detail

/// Whether two programs differ on the same pictures: the two-sided permutation test of paired
/// differences. Were there none, each difference could as well have the other sign; p is the share
/// of sign flips whose mean is at least as far from 0 as that of the differences themselves.
///
/// Few pictures: over all 2^n flips, so that p is never below 2 / 2^n. Many: over random flips,
/// (1 + as far) / (1 + draws), which is never 0.
/// Source: Fisher, "The Design of Experiments", 1935, sec. 21; Phipson and Smyth, "Permutation
/// P-values Should Never Be Zero", 2010, for random flips.
/// @param differences  of each picture; those that are not finite are left out
/// @throws c10::ValueError unless exact_up_to is 0 to 30 and draws at least 1.
inline SignFlipTest sign_flip_test(const std::vector<double>& differences,
                                   const SignFlipOptions& options = {}) {
  detail::check_at_least("sign_flip_test: exact_up_to", options.exact_up_to, 0);
  detail::check_at_least("sign_flip_test: draws", options.draws, 1);
  TORCH_CHECK_VALUE(options.exact_up_to <= 30,
                    "sign_flip_test: exact_up_to must be at most 30, got ", options.exact_up_to);
  std::vector<double> finite;
  double sum = 0, size = 0;
  for (const auto difference : differences) {
    if (!std::isfinite(difference)) continue;
    finite.push_back(difference);
    sum += difference;
    size += std::abs(difference);
  }
  SignFlipTest test;
  test.count = static_cast<std::int64_t>(finite.size());
  if (finite.empty()) return test;
  const auto least = std::abs(sum) - 1e-12 * size;  // equal sums, added in another order
  std::int64_t as_far = 0;
  if (test.count <= options.exact_up_to) {
    const auto half = finite.size() / 2;
    const auto some = detail::signed_sums(finite, 0, half);
    const auto others = detail::signed_sums(finite, half, finite.size());
    for (const auto a : some) {
      for (const auto b : others) as_far += std::abs(a + b) >= least ? 1 : 0;
    }
    test.flips = static_cast<std::int64_t>(some.size() * others.size());
    test.p = static_cast<double>(as_far) / static_cast<double>(test.flips);
    return test;
  }
  Random random{options.seed};
  for (std::int64_t draw = 0; draw < options.draws; ++draw) {
    double flipped = 0;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < finite.size(); ++i, bits >>= 1) {
      if (i % 64 == 0) bits = random.bits();
      flipped += (bits & 1) != 0 ? finite[i] : -finite[i];
    }
    as_far += std::abs(flipped) >= least ? 1 : 0;
  }
  test.exact = false;
  test.flips = options.draws;
  test.p = static_cast<double>(1 + as_far) / static_cast<double>(1 + options.draws);
  return test;
}

}  // namespace limpid
