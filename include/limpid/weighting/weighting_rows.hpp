#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/named.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace limpid {

/// What has a row of gradients and a weight of its own.
enum class WeightingRows {
  per_task,  ///< each task's whole loss
  per_term,  ///< each task's content loss and, where it has a critic, its adversarial loss
};

inline constexpr NamedTable kWeightingRows{
    "rows of gradients", Named{"per-task", "one for each task", WeightingRows::per_task},
    Named{"per-term", "content and adversarial loss apart", WeightingRows::per_term}};

LIMPID_INLINE void read_option(std::string_view text, WeightingRows& rows);

LIMPID_INLINE std::string option_text(WeightingRows rows);

/// A row of the tasks' gradients.
struct WeightingRow {
  /// Of a task's loss.
  enum class Part { total, content, adversarial };

  std::size_t task = 0;
  Part part = Part::total;

  /// "deblur", "deblur.content", "deblur.adversarial"
  std::string name(const std::string& task_name) const;
};

/// The rows of tasks, in their order. A task without a critic has one row.
/// @param has_critic  of each task
LIMPID_INLINE std::vector<WeightingRow> rows_of(WeightingRows rows,
                                                const std::vector<bool>& has_critic);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void read_option(std::string_view text, WeightingRows& rows) {
  rows = kWeightingRows.at(text);
}

LIMPID_INLINE std::string option_text(WeightingRows rows) {
  return rows == WeightingRows::per_term ? "per-term" : "per-task";
}

LIMPID_INLINE std::string WeightingRow::name(const std::string& task_name) const {
  return task_name + (part == Part::content       ? ".content"
                      : part == Part::adversarial ? ".adversarial"
                                                  : "");
}

LIMPID_INLINE std::vector<WeightingRow> rows_of(WeightingRows rows,
                                                const std::vector<bool>& has_critic) {
  std::vector<WeightingRow> all;
  for (std::size_t task = 0; task < has_critic.size(); ++task) {
    if (rows == WeightingRows::per_term && has_critic[task]) {
      all.push_back({task, WeightingRow::Part::content});
      all.push_back({task, WeightingRow::Part::adversarial});
    } else {
      all.push_back({task});
    }
  }
  return all;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
