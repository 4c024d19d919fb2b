#pragma once

// limpid-transfer: what all finished runs of a folder say together.

#include <limpid/metrics/run_comparison.hpp>
#include <limpid/metrics/score_json.hpp>
#include <limpid/metrics/statistics.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "plan.hpp"
#include "run.hpp"

namespace examples {

/// A number for each seed.
using BySeed = std::map<std::int64_t, double>;

inline std::vector<double> numbers_of(const BySeed& by_seed) {
  std::vector<double> numbers;
  for (const auto& [seed, number] : by_seed) numbers.push_back(number);
  return numbers;
}

inline double mean_of(const std::vector<double>& numbers) {
  return numbers.empty() ? std::numeric_limits<double>::quiet_NaN()
                         : std::accumulate(numbers.begin(), numbers.end(), 0.0) /
                               static_cast<double>(numbers.size());
}

/// Standard deviation of a sample; no number for fewer than two.
inline double deviation_of(const std::vector<double>& numbers) {
  double squares = 0;
  for (const auto number : numbers) squares += std::pow(number - mean_of(numbers), 2);
  return numbers.size() < 2 ? std::numeric_limits<double>::quiet_NaN()
                            : std::sqrt(squares / static_cast<double>(numbers.size() - 1));
}

/// The finished runs in a folder, whichever calls made them.
class TransferResults {
 public:
  /// What stands for the mean over the tasks where a task is asked for.
  static constexpr auto kAllTasks = "";

  /// @param weightings  come first, in this order; others in the folder behind them
  TransferResults(const std::filesystem::path& out, const std::vector<std::string>& weightings,
                  std::vector<std::string> tasks)
      : tasks_(std::move(tasks)) {
    for (const auto& weighting : weightings) shared_.emplace_back(weighting, Runs{});
    for (const auto& file : result_files(out)) {
      auto result = read_result(file);
      const auto weighting = result.at("weighting").get<std::string>();
      const auto seed = result.at("seed").get<std::int64_t>();
      auto& runs =
          weighting.empty() ? alone_[result.at("tasks").at(0).get<std::string>()] : of(weighting);
      if (result.contains("error")) {
        const auto who =
            weighting.empty() ? result.at("tasks").at(0).get<std::string>() + " alone" : weighting;
        failures_.push_back(who + ", seed " + std::to_string(seed) + ": " +
                            result.at("error").get<std::string>());
      } else {
        runs[seed] = std::move(result);
      }
    }
  }

  const std::vector<std::string>& tasks() const { return tasks_; }
  const std::vector<std::string>& failures() const { return failures_; }

  /// Those with a finished run.
  std::vector<std::string> weightings() const {
    std::vector<std::string> names;
    for (const auto& [name, runs] : shared_) {
      if (!runs.empty()) names.push_back(name);
    }
    return names;
  }

  /// The mean score of a task's restored pictures, or of "identity", the degraded ones.
  BySeed alone(const std::string& task, const std::string& metric,
               const std::string& which = "restored") const {
    if (task != kAllTasks) return scores(runs_alone(task), task, metric, which);
    std::vector<BySeed> all;
    for (const auto& one : tasks_) all.push_back(alone(one, metric, which));
    return mean_over_tasks(all);
  }

  BySeed shared(const std::string& weighting, const std::string& task,
                const std::string& metric) const {
    const auto& runs = runs_of(weighting);
    if (task != kAllTasks) return scores(runs, task, metric, "restored");
    std::vector<BySeed> all;
    for (const auto& one : tasks_) all.push_back(scores(runs, one, metric, "restored"));
    return mean_over_tasks(all);
  }

  /// All runs of a task: those alone are group 0, those of `weightings()[i]` group i + 1.
  limpid::RunComparison comparison(const std::string& task, const std::string& metric) const {
    std::vector<limpid::ScoredRun> runs;
    std::size_t group = 0;
    const auto add = [&](const BySeed& scores) {
      for (const auto& [seed, score] : scores) runs.push_back({group, seed, score});
      ++group;
    };
    add(alone(task, metric));
    for (const auto& weighting : weightings()) add(shared(weighting, task, metric));
    return limpid::RunComparison{runs};
  }

  /// A number that each run of a weighting has by itself: "seconds", "steps".
  std::vector<double> values(const std::string& weighting, const std::string& name) const {
    std::vector<double> values;
    for (const auto& [seed, run] : runs_of(weighting)) {
      if (run.contains(name)) values.push_back(run.at(name).get<double>());
    }
    return values;
  }

  /// Cosine of two tasks over all runs of a weighting, and how often they were in conflict.
  struct Agreement {
    std::string tasks;
    std::vector<double> cosines{};  ///< a mean for each run
    std::int64_t conflicts = 0, looks = 0;
  };

  std::vector<Agreement> agreements(const std::string& weighting) const {
    std::vector<Agreement> all;
    for (const auto& [seed, run] : runs_of(weighting)) {
      for (const auto& pair : run.at("agreement")) {
        const auto name = pair.at("tasks").at(0).get<std::string>() + ", " +
                          pair.at("tasks").at(1).get<std::string>();
        auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Agreement& one) { return one.tasks == name; });
        if (found == all.end()) found = all.insert(all.end(), {name});
        const auto cosine = limpid::number_of_json(pair.at("cosine"), "cosine of " + name);
        if (std::isfinite(cosine)) found->cosines.push_back(cosine);
        found->conflicts += pair.at("conflicts").get<std::int64_t>();
        found->looks += pair.at("looks").get<std::int64_t>();
      }
    }
    return all;
  }

 private:
  using Runs = std::map<std::int64_t, nlohmann::json>;

  /// In the order of their names.
  static std::vector<std::filesystem::path> result_files(const std::filesystem::path& out) {
    std::vector<std::filesystem::path> files;
    for (const auto* kind : {"shared", "alone"}) {
      if (!std::filesystem::exists(out / kind)) continue;
      for (const auto& group : std::filesystem::directory_iterator{out / kind}) {
        if (!group.is_directory()) continue;
        for (const auto& run : std::filesystem::directory_iterator{group}) {
          const auto file = result_file(run.path());
          if (std::filesystem::exists(file)) files.push_back(file);
        }
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  Runs& of(const std::string& weighting) {
    for (auto& [name, runs] : shared_) {
      if (name == weighting) return runs;
    }
    return shared_.emplace_back(weighting, Runs{}).second;
  }

  const Runs& runs_of(const std::string& weighting) const {
    for (const auto& [name, runs] : shared_) {
      if (name == weighting) return runs;
    }
    return none_;
  }

  const Runs& runs_alone(const std::string& task) const {
    const auto found = alone_.find(task);
    return found == alone_.end() ? none_ : found->second;
  }

  /// Runs whose mean is no number are left out.
  static BySeed scores(const Runs& runs, const std::string& task, const std::string& metric,
                       const std::string& which) {
    BySeed scores;
    for (const auto& [seed, run] : runs) {
      const auto& means = run.at("scores").at("tasks").at(task).at(which);
      const auto mean = limpid::number_of_json(means.at(metric).at("mean"), "result of " + task);
      if (std::isfinite(mean)) scores[seed] = mean;
    }
    return scores;
  }

  /// Of the seeds that all tasks have.
  static BySeed mean_over_tasks(const std::vector<BySeed>& tasks) {
    BySeed means;
    for (const auto& [seed, first] : tasks.front()) {
      double sum = 0;
      std::size_t count = 0;
      for (const auto& task : tasks) {
        const auto found = task.find(seed);
        if (found == task.end()) continue;
        sum += found->second;
        ++count;
      }
      if (count == tasks.size()) means[seed] = sum / static_cast<double>(count);
    }
    return means;
  }

  std::vector<std::string> tasks_;
  std::vector<std::pair<std::string, Runs>> shared_;
  std::map<std::string, Runs> alone_;
  std::vector<std::string> failures_;
  Runs none_{};
};

/// One weighting's runs of a task against others.
struct TransferGain {
  std::string weighting, task;
  std::vector<double> by_seed{};     ///< gain of each seed that both have
  limpid::RunDifference difference;  ///< over all runs
  double p_adjusted = std::numeric_limits<double>::quiet_NaN();  ///< `limpid::holm_adjusted`

  bool is_beyond_noise() const { return p_adjusted < 0.05; }
};

/// Every weighting and task, and the mean over the tasks, against each task alone or, where
/// `against` names one, against that weighting.
inline std::vector<TransferGain> transfer_gains(const TransferResults& results,
                                                const std::string& metric,
                                                const std::string& against = {}) {
  auto tasks = results.tasks();
  tasks.push_back(TransferResults::kAllTasks);
  const auto weightings = results.weightings();
  const auto found = std::find(weightings.begin(), weightings.end(), against);
  if (!against.empty() && found == weightings.end()) return {};
  const auto from = against.empty() ? 0 : static_cast<std::size_t>(found - weightings.begin()) + 1;
  std::vector<TransferGain> gains;
  std::vector<double> p;
  for (const auto& task : tasks) {
    const auto comparison = results.comparison(task, metric);
    const auto before =
        against.empty() ? results.alone(task, metric) : results.shared(against, task, metric);
    for (std::size_t i = 0; i < weightings.size(); ++i) {
      if (i + 1 == from) continue;
      TransferGain gain{weightings[i], task, {}, comparison.difference(from, i + 1)};
      for (const auto& [seed, score] : results.shared(weightings[i], task, metric)) {
        if (before.count(seed) != 0) gain.by_seed.push_back(score - before.at(seed));
      }
      p.push_back(gain.difference.p);
      gains.push_back(std::move(gain));
    }
  }
  p = limpid::holm_adjusted(p);
  for (std::size_t i = 0; i < gains.size(); ++i) gains[i].p_adjusted = p[i];
  return gains;
}

}  // namespace examples
