#pragma once

#include <limpid/report/log_point.hpp>
#include <limpid/report/plot.hpp>
#include <limpid/report/report_table.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// How much the tasks agreed about the shared encoder over a run: the lines of metrics.jsonl whose
/// kind is "interference".
class InterferenceLog {
 public:
  /// Two tasks' gradients.
  struct Pair {
    std::size_t first, second;  ///< of `tasks()`
    Series cosine;              ///< over the steps; NaN where a gradient was zero

    /// Of the looks in which both had a gradient: how many, and in how many they conflicted.
    std::pair<std::int64_t, std::int64_t> looks_and_conflicts() const {
      std::int64_t looks = 0, conflicts = 0;
      for (const auto value : cosine.y) {
        looks += std::isfinite(value) ? 1 : 0;
        conflicts += value < 0 ? 1 : 0;
      }
      return {looks, conflicts};
    }
  };

  /// A part of the encoder.
  struct Part {
    std::string name;
    std::vector<Pair> pairs;
  };

  bool empty() const { return pairs_.empty(); }
  const std::vector<std::string>& tasks() const { return tasks_; }
  const std::vector<Series>& lengths() const { return lengths_; }  ///< one for each task
  const std::vector<Pair>& pairs() const { return pairs_; }
  const std::vector<Part>& parts() const { return parts_; }  ///< in the encoder's order

  /// Adds a line. One that is not as the trainer writes it, or of other tasks, is passed over.
  void add(const nlohmann::json& line, double step) {
    const auto names = strings(line, "tasks");
    if (names.size() < 2 || (!tasks_.empty() && names != tasks_)) return;
    const auto count = names.size();
    if (!is_agreement(line, count)) return;
    if (tasks_.empty()) begin(names);
    for (std::size_t t = 0; t < count; ++t) {
      detail::add_point(lengths_[t], step, detail::number_or_nan(line["length"][t]));
    }
    add_cosines(pairs_, line, step);
    if (!line.contains("parts") || !line["parts"].is_array()) return;
    for (const auto& part : line["parts"]) {
      if (!is_agreement(part, count) || !part.contains("name") || !part["name"].is_string())
        continue;
      add_cosines(part_called(part["name"].get<std::string>()).pairs, part, step);
    }
  }

  std::string name_of(const Pair& pair) const {
    return tasks_[pair.first] + ", " + tasks_[pair.second];
  }

 private:
  static std::vector<std::string> strings(const nlohmann::json& line, const char* key) {
    std::vector<std::string> result;
    if (!line.contains(key) || !line[key].is_array()) return result;
    for (const auto& one : line[key]) {
      if (!one.is_string()) return {};
      result.push_back(one.get<std::string>());
    }
    return result;
  }

  static bool is_agreement(const nlohmann::json& line, std::size_t count) {
    const auto is_row = [&](const nlohmann::json& row) {
      return row.is_array() && row.size() == count;
    };
    return line.is_object() && line.contains("length") && is_row(line["length"]) &&
           line.contains("cosine") && is_row(line["cosine"]) &&
           std::all_of(line["cosine"].begin(), line["cosine"].end(), is_row);
  }

  std::vector<Pair> new_pairs() const {
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      for (std::size_t j = i + 1; j < tasks_.size(); ++j) {
        pairs.push_back({i, j, Series{tasks_[i] + ", " + tasks_[j]}});
      }
    }
    return pairs;
  }

  void begin(const std::vector<std::string>& names) {
    tasks_ = names;
    for (const auto& name : names) lengths_.push_back(Series{name});
    pairs_ = new_pairs();
  }

  Part& part_called(const std::string& name) {
    const auto found = std::find_if(parts_.begin(), parts_.end(),
                                    [&](const Part& part) { return part.name == name; });
    if (found != parts_.end()) return *found;
    parts_.push_back({name, new_pairs()});
    return parts_.back();
  }

  static void add_cosines(std::vector<Pair>& pairs, const nlohmann::json& line, double step) {
    for (auto& pair : pairs) {
      detail::add_point(pair.cosine, step,
                        detail::number_or_nan(line["cosine"][pair.first][pair.second]));
    }
  }

  std::vector<std::string> tasks_;
  std::vector<Series> lengths_;
  std::vector<Pair> pairs_;
  std::vector<Part> parts_;
};

namespace detail {

/// The mean of a curve's last `most` finite values; NaN where there is none.
inline double recent_mean(const Series& series, std::size_t most) {
  double sum = 0;
  std::size_t count = 0;
  for (auto i = series.y.size(); i > 0 && count < most; --i) {
    if (!std::isfinite(series.y[i - 1])) continue;
    sum += series.y[i - 1];
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : std::nan("");
}

inline std::string cosine_text(double cosine) {
  if (!std::isfinite(cosine)) return "none";
  char text[16];
  std::snprintf(text, sizeof text, "%+.3f", cosine);
  return text;
}

inline ReportCell cosine_cell(const InterferenceLog::Pair& pair, std::size_t recent) {
  const auto cosine = recent_mean(pair.cosine, recent);
  const auto [looks, conflicts] = pair.looks_and_conflicts();
  return {cosine_text(cosine),
          "conflict in " + std::to_string(conflicts) + " of " + std::to_string(looks)};
}

}  // namespace detail

/// How much the tasks agree, as tables: each two tasks at the run's end, and by part of the
/// encoder, where they disagree most. None where the run did not look.
inline std::vector<ReportTable> interference_tables(const InterferenceLog& log) {
  constexpr std::size_t kRecent = 20;
  if (log.empty()) return {};
  ReportTable matrix{
      "Do the tasks agree?",
      "Cosine of two tasks' gradients of the shared encoder, the mean of the last " +
          std::to_string(kRecent) +
          " looks. Below 0 the tasks are in conflict: a step that helps one harms the other.",
      {},
      {}};
  matrix.columns.push_back("Gradient of");
  for (const auto& task : log.tasks()) matrix.columns.push_back(task);
  ReportRows rows;
  for (std::size_t i = 0; i < log.tasks().size(); ++i) {
    std::vector<ReportCell> row{{log.tasks()[i]}};
    for (std::size_t j = 0; j < log.tasks().size(); ++j) {
      if (i == j) {
        const auto length = detail::recent_mean(log.lengths()[i], kRecent);
        row.push_back({"1", "length " + plain_number(length)});
        continue;
      }
      const auto pair = std::find_if(log.pairs().begin(), log.pairs().end(), [&](const auto& one) {
        return one.first == std::min(i, j) && one.second == std::max(i, j);
      });
      row.push_back(detail::cosine_cell(*pair, kRecent));
    }
    rows.rows.push_back(std::move(row));
  }
  matrix.groups.push_back(std::move(rows));

  ReportTable parts{
      "Where they disagree", "The same by parts of the encoder, from the picture inwards.", {}, {}};
  parts.columns.push_back("Part");
  for (const auto& pair : log.pairs()) parts.columns.push_back(log.name_of(pair));
  ReportRows by_part;
  for (const auto& part : log.parts()) {
    std::vector<ReportCell> row{{part.name}};
    for (const auto& pair : part.pairs) row.push_back(detail::cosine_cell(pair, kRecent));
    by_part.rows.push_back(std::move(row));
  }
  parts.groups.push_back(std::move(by_part));
  return {std::move(matrix), std::move(parts)};
}

/// The cosines over the run, at most four pairs of tasks a plot, and the gradients' lengths.
inline std::vector<Plot> interference_plots(const InterferenceLog& log) {
  constexpr std::size_t kCurves = 4;
  std::vector<Plot> plots;
  const auto add = [&](const std::string& title, const std::string& label,
                       const std::vector<Series>& curves) {
    for (std::size_t i = 0; i < curves.size(); i += kCurves) {
      const auto end = std::min(curves.size(), i + kCurves);
      plots.push_back(Plot{title,
                           "step",
                           label,
                           {curves.begin() + static_cast<std::ptrdiff_t>(i),
                            curves.begin() + static_cast<std::ptrdiff_t>(end)}});
    }
  };
  std::vector<Series> cosines;
  for (const auto& pair : log.pairs()) cosines.push_back(pair.cosine);
  add("Agreement of tasks", "cosine", cosines);
  add("Gradients of the encoder", "length", log.lengths());
  return plots;
}

}  // namespace limpid
