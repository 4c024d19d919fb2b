#pragma once

#include <limpid/core/check.hpp>

#include <Eigen/Core>
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numbers>
#include <vector>

// Whether ways to train differ by more than chance, from a few runs of each.
namespace limpid {

/// How often a number of Student's distribution lies at least as far from 0 as `t`.
///
/// Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
/// @param freedom  at least 1
/// @throws c10::ValueError for fewer degrees of freedom.
inline double student_t_p(double t, std::int64_t freedom) {
  detail::check_at_least("student_t_p: freedom", freedom, 1);
  if (std::isnan(t)) return t;
  const auto angle = std::atan(std::abs(t) / std::sqrt(static_cast<double>(freedom)));
  const auto cosine = std::cos(angle), sine = std::sin(angle);
  const bool is_odd = freedom % 2 == 1;
  double term = is_odd ? cosine : 1, sum = 0;
  for (std::int64_t i = is_odd ? 3 : 2; i <= freedom; i += 2) {
    sum += term;
    term *= cosine * cosine * static_cast<double>(i - 1) / static_cast<double>(i);
  }
  const auto within = is_odd ? 2 / std::numbers::pi * (angle + sine * sum) : sine * sum;
  return std::clamp(1 - within, 0.0, 1.0);
}

/// One training run.
struct ScoredRun {
  std::size_t group = 0;  ///< the way it was trained
  std::int64_t seed = 0;
  double score = 0;
};

/// What `RunComparison` says of two groups.
struct RunDifference {
  double mean = std::numeric_limits<double>::quiet_NaN();  ///< of the second less the first
  /// How often chance alone makes a difference at least as large; no number where nothing tells how
  /// large chance is.
  double p = std::numeric_limits<double>::quiet_NaN();
};

/// Compares groups of training runs that share their seeds: a score is that of its group, and of
/// its seed (first weights and order of data, good or bad luck for all groups alike), and chance.
/// Both are fitted by least squares, so a group with one run is compared with others of the same
/// seed, and how large chance is, is estimated from all runs together.
///
/// Source: Fisher, "The Design of Experiments", 1935 (randomised blocks: the two-way analysis of
/// variance without interaction). Of two groups with the same seeds it is the paired t test. It
/// takes chance to be as large in all groups.
class RunComparison {
 public:
  explicit RunComparison(const std::vector<ScoredRun>& runs) {
    std::map<std::size_t, Eigen::Index> groups;
    std::map<std::int64_t, Eigen::Index> seeds;
    for (const auto& run : runs) {
      groups.emplace(run.group, static_cast<Eigen::Index>(groups.size()));
      seeds.emplace(run.seed, static_cast<Eigen::Index>(seeds.size()));
    }
    const auto count = static_cast<Eigen::Index>(runs.size());
    const auto group_count = static_cast<Eigen::Index>(groups.size());
    Eigen::MatrixXd design =
        Eigen::MatrixXd::Zero(count, group_count + static_cast<Eigen::Index>(seeds.size()));
    Eigen::VectorXd scores{count};
    for (Eigen::Index i = 0; i < count; ++i) {
      const auto& run = runs[static_cast<std::size_t>(i)];
      design(i, groups.at(run.group)) = 1;
      design(i, group_count + seeds.at(run.seed)) = 1;
      scores[i] = run.score;
    }
    groups_ = groups;
    if (count == 0) return;
    const Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> fit{design};
    inverse_ = fit.pseudoInverse();
    known_ = inverse_ * design;
    effects_ = inverse_ * scores;
    freedom_ = static_cast<std::int64_t>(count - fit.rank());
    const Eigen::VectorXd rest = scores - design * effects_;
    if (freedom_ > 0) deviation_ = std::sqrt(rest.squaredNorm() / static_cast<double>(freedom_));
    least_ = 1e-10 * (1 + scores.cwiseAbs().maxCoeff());
  }

  /// Standard deviation of chance; no number where `freedom` is 0.
  double deviation() const { return deviation_; }

  /// Runs less what was fitted to them.
  std::int64_t freedom() const { return freedom_; }

  /// The two-sided t test of whether two groups differ. Groups without runs, and those that no seed
  /// joins, have no difference.
  RunDifference difference(std::size_t from, std::size_t to) const {
    const auto before = groups_.find(from), after = groups_.find(to);
    if (before == groups_.end() || after == groups_.end()) return {};
    Eigen::VectorXd contrast = Eigen::VectorXd::Zero(effects_.size());
    contrast[before->second] -= 1;
    contrast[after->second] += 1;
    if ((known_.transpose() * contrast - contrast).norm() > 1e-8) return {};
    RunDifference result{contrast.dot(effects_)};
    if (freedom_ < 1) return result;
    const auto error = deviation_ * (inverse_.transpose() * contrast).norm();
    const bool is_none = std::abs(result.mean) < least_;
    result.p = is_none ? 1 : student_t_p(result.mean / error, freedom_);
    return result;
  }

 private:
  std::map<std::size_t, Eigen::Index> groups_;
  Eigen::MatrixXd inverse_, known_;
  Eigen::VectorXd effects_;
  double deviation_ = std::numeric_limits<double>::quiet_NaN();
  std::int64_t freedom_ = 0;
  double least_ = 0;  // a difference that is not just how numbers are rounded
};

/// The p of many comparisons, raised so that all together call chance a difference no more often
/// than one would. Those that are no number stay so and do not count.
///
/// Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
/// Statistics 1979.
inline std::vector<double> holm_adjusted(std::vector<double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  double least = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    auto& value = p[order[rank]];
    least = std::max(least, std::min(1.0, value * static_cast<double>(order.size() - rank)));
    value = least;
  }
  return p;
}

}  // namespace limpid
