#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/inference/router.hpp>
#include <limpid/inference/routing_samples.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>
#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// How `fit_router` fits.
struct FitRouterOptions {
  double least_gain = 0.2;  ///< dB that a task must gain for a picture to need it
  Interval counted{-3, 8};  ///< gains beyond, in dB, count as these: one picture is not ten
  double ridge = 30;        ///< pull of the weights towards 0, in samples
  int folds = 5;            ///< of photographs; the line is calibrated on those it has not seen
  double sure = 0;          ///< from which each task is done; 0: from where it pays (`pays_from`)
  double caution = 3;       ///< a decibel that is lost counts as so many that are gained
};

/// How well a router's guesses hold on photographs that it was not fitted on.
struct RouterFit {
  Router router;
  struct Task {
    std::string task;
    double sure = 0;              ///< the probability from which it is done
    std::int64_t needed = 0;      ///< samples that gain enough
    std::int64_t done = 0;        ///< samples that it is sure of
    std::int64_t done_right = 0;  ///< of these, those that gain enough
  };
  std::vector<Task> tasks;
  std::int64_t samples = 0;
};

namespace detail {

/// Samples as one row each, standardised as the router does; a last column of ones.
inline Eigen::MatrixXd routing_rows(const std::vector<RoutingSample>& samples,
                                    const Eigen::VectorXd& mean, const Eigen::VectorXd& scale) {
  Eigen::MatrixXd rows(static_cast<Eigen::Index>(samples.size()), mean.size() + 1);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Eigen::Map<const Eigen::VectorXd> values(samples[i].features.data_ptr<double>(),
                                                   mean.size());
    const auto row = static_cast<Eigen::Index>(i);
    rows.row(row).head(mean.size()) = ((values - mean).array() / scale.array())
                                          .max(-Router::kFarthest)
                                          .min(Router::kFarthest)
                                          .transpose();
    rows(row, mean.size()) = 1;
  }
  return rows;
}

/// Weights that bring rows closest to targets, one column each: ridge regression; the last row is
/// the bias, which is not pulled.
inline Eigen::MatrixXd ridge_lines(const Eigen::MatrixXd& rows, const Eigen::MatrixXd& targets,
                                   double ridge) {
  Eigen::MatrixXd squares = rows.transpose() * rows;
  squares.diagonal().head(rows.cols() - 1).array() += ridge;
  squares(rows.cols() - 1, rows.cols() - 1) += 1e-9;
  return squares.ldlt().solve(rows.transpose() * targets);
}

/// Slope and offset that make scores log odds, by Newton's steps; targets are +1 and -1.
/// Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with his targets
/// (n + 1) / (n + 2), so that scores which part all samples do not make them certain.
inline std::pair<double, double> log_odds(const Eigen::VectorXd& scores,
                                          const Eigen::VectorXd& targets) {
  const double positive = (targets.array() > 0).count();
  const auto negative = static_cast<double>(targets.size()) - positive;
  const double high = (positive + 1) / (positive + 2), low = 1 / (negative + 2);
  double slope = 1, offset = std::log((positive + 1) / (negative + 1));
  for (int step = 0; step < 100; ++step) {
    Eigen::Vector2d gradient{1e-6 * slope, 0};
    Eigen::Matrix2d curvature;
    curvature << 1e-6, 0, 0, 1e-12;
    for (Eigen::Index i = 0; i < scores.size(); ++i) {
      const auto p = 1 / (1 + std::exp(-(slope * scores[i] + offset)));
      const auto error = p - (targets[i] > 0 ? high : low);
      const auto weight = std::max(p * (1 - p), 1e-6);
      gradient += error * Eigen::Vector2d{scores[i], 1};
      curvature(0, 0) += weight * scores[i] * scores[i];
      curvature(0, 1) += weight * scores[i];
      curvature(1, 0) += weight * scores[i];
      curvature(1, 1) += weight;
    }
    Eigen::Vector2d change = curvature.ldlt().solve(gradient);
    change = change.array().max(-2).min(2);  // far from the end, Newton's steps are too long
    slope -= change[0], offset -= change[1];
    if (change.norm() < 1e-9) break;
  }
  return {slope, offset};
}

/// The probability from which a task is done: down to it, samples that the router is about as sure
/// of gain in the mean with a certainty of 95 %. Not below 60 %, since real pictures are others
/// than those that were damaged to fit a router, and as usual where too few are sure to tell.
/// @param probabilities  of samples that the router was not fitted on
/// @param worth          of doing the task to each, losses counted as they weigh
inline double pays_from(const Eigen::VectorXd& probabilities, const Eigen::VectorXd& worth) {
  constexpr std::size_t kLike = 20, kFewest = 8, kStep = 5;  // samples that are as sure
  constexpr std::size_t kShare = 8;                          // of many, an eighth is alike
  constexpr double kCertain = 1.645;                         // deviations below the mean
  constexpr double kLeastSure = 0.6;
  std::vector<Eigen::Index> order;
  for (Eigen::Index i = 0; i < probabilities.size(); ++i) {
    if (probabilities[i] >= kLeastSure) order.push_back(i);
  }
  if (order.size() < kFewest) return Router::kUsuallySure;
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return probabilities[a] > probabilities[b]; });
  const auto like = std::min(std::max(kLike, order.size() / kShare), order.size());
  double from = 1;
  for (auto end = like;; end = std::min(end + kStep, order.size())) {
    double sum = 0, squares = 0;
    for (auto i = end - like; i < end; ++i) {
      sum += worth[order[i]];
      squares += worth[order[i]] * worth[order[i]];
    }
    const auto count = static_cast<double>(like), mean = sum / count;
    const auto variance = std::max(0.0, squares / count - mean * mean) / (count - 1);
    if (mean - kCertain * std::sqrt(variance) <= 0) break;
    from = probabilities[order[end - 1]];
    if (end == order.size()) return kLeastSure;
  }
  return from;
}

}  // namespace detail

/// Fits a router in closed form: a ridge regression for each task on whether it gains at least
/// `least_gain`, made log odds on photographs that the regression has not seen; and one on how much
/// it gains, which says what comes first. A task is done from the probability on from which that
/// pays on photographs that the regression has not seen.
///
/// @param tasks    of the model, in the order of `RoutingSample::gains`
/// @param samples  of several photographs; some need a task, others not. A task that none of them
///                 needs, or all, is left out: nothing is known of it.
/// @throws c10::ValueError for fewer photographs than folds, options out of range, or if no task is
///         left.
inline RouterFit fit_router(const std::vector<std::string>& tasks,
                            const std::vector<RoutingSample>& samples,
                            const FitRouterOptions& options = {}) {
  detail::check_at_least("fit_router: folds", std::int64_t{options.folds}, 2);
  TORCH_CHECK_VALUE(options.ridge > 0, "fit_router: expected a ridge above 0, got ", options.ridge);
  std::vector<std::int64_t> photographs;
  for (const auto& sample : samples) photographs.push_back(sample.picture);
  std::sort(photographs.begin(), photographs.end());
  photographs.erase(std::unique(photographs.begin(), photographs.end()), photographs.end());
  TORCH_CHECK_VALUE(static_cast<int>(photographs.size()) >= options.folds,
                    "fit_router: expected at least ", options.folds, " photographs, got ",
                    photographs.size());

  const auto count = static_cast<Eigen::Index>(samples.size());
  const auto features = static_cast<Eigen::Index>(samples.front().features.size(0));
  Eigen::MatrixXd values(count, features), targets(count, static_cast<Eigen::Index>(tasks.size()));
  Eigen::MatrixXd gains(count, targets.cols());
  for (Eigen::Index i = 0; i < count; ++i) {
    const auto& sample = samples[static_cast<std::size_t>(i)];
    TORCH_CHECK_VALUE(sample.features.dim() == 1 && sample.features.size(0) == features &&
                          sample.features.scalar_type() == at::kDouble &&
                          sample.features.is_contiguous() && sample.gains.size() == tasks.size(),
                      "fit_router: expected samples of ", features, " features and ", tasks.size(),
                      " gains");
    values.row(i) =
        Eigen::Map<const Eigen::RowVectorXd>(sample.features.data_ptr<double>(), features);
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const auto column = static_cast<Eigen::Index>(t);
      targets(i, column) = sample.gains[t] >= options.least_gain ? 1 : -1;
      gains(i, column) = std::clamp(sample.gains[t], options.counted.low(), options.counted.high());
    }
  }
  const Eigen::VectorXd mean = values.colwise().mean();
  const Eigen::VectorXd deviation =
      ((values.rowwise() - mean.transpose()).array().square().colwise().mean()).sqrt();
  const Eigen::VectorXd scale = deviation.array().max(1e-6);
  const auto rows = detail::routing_rows(samples, mean, scale);

  // Scores of samples whose photograph was left out.
  Eigen::MatrixXd held_out(count, targets.cols());
  std::vector<Eigen::Index> fold_of(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto place =
        std::lower_bound(photographs.begin(), photographs.end(), samples[i].picture) -
        photographs.begin();
    fold_of[i] = static_cast<Eigen::Index>(place % options.folds);
  }
  for (Eigen::Index fold = 0; fold < options.folds; ++fold) {
    std::vector<Eigen::Index> in, out;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      (fold_of[i] == fold ? out : in).push_back(static_cast<Eigen::Index>(i));
    }
    const auto lines =
        detail::ridge_lines(rows(in, Eigen::all), targets(in, Eigen::all), options.ridge);
    held_out(out, Eigen::all) = rows(out, Eigen::all) * lines;
  }
  const auto lines = detail::ridge_lines(rows, targets, options.ridge);
  const auto gain_lines = detail::ridge_lines(rows, gains, options.ridge);

  std::vector<Router::Line> kept;
  std::vector<RouterFit::Task> report;
  TORCH_CHECK_VALUE(options.sure == 0 || (options.sure > 0.5 && options.sure <= 1),
                    "fit_router: expected 'sure' to be 0 or in (0.5, 1], got ", options.sure);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const auto column = static_cast<Eigen::Index>(t);
    const auto needed = static_cast<std::int64_t>((targets.col(column).array() > 0).count());
    if (needed == 0 || needed == count) continue;
    const auto [slope, offset] = detail::log_odds(held_out.col(column), targets.col(column));
    const Eigen::VectorXd probabilities =
        (1 + (-(slope * held_out.col(column).array() + offset)).exp()).inverse();
    const Eigen::VectorXd worth = gains.col(column).unaryExpr(
        [&](double gain) { return gain < 0 ? options.caution * gain : gain; });
    const auto sure = options.sure > 0 ? options.sure : detail::pays_from(probabilities, worth);
    RouterFit::Task told{tasks[t], sure, needed, 0, 0};
    for (Eigen::Index i = 0; i < count; ++i) {
      if (probabilities[i] < sure) continue;
      ++told.done;
      told.done_right += targets(i, column) > 0 ? 1 : 0;
    }
    report.push_back(told);
    const Eigen::VectorXd line = slope * lines.col(column);
    const Eigen::VectorXd gain = gain_lines.col(column);
    kept.push_back({.task = tasks[t],
                    .bias = line[features] + offset,
                    .weights = {line.data(), line.data() + features},
                    .sure = sure,
                    .gain_bias = gain[features],
                    .gain_weights = {gain.data(), gain.data() + features}});
  }
  TORCH_CHECK_VALUE(!kept.empty(),
                    "fit_router: no task is needed by some pictures and not by others");
  Router router{{mean.data(), mean.data() + features},
                {scale.data(), scale.data() + features},
                std::move(kept)};
  return {std::move(router), std::move(report), static_cast<std::int64_t>(samples.size())};
}

}  // namespace limpid
