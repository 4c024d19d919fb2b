#pragma once

#include <limpid/report/plot.hpp>

#include <nlohmann/json.hpp>

#include <limits>

// Lines of a training log become points of curves.
namespace limpid::detail {

inline double number_or_nan(const nlohmann::json& json) {
  return json.is_number() ? json.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

/// Adds a point; a run that went on from a checkpoint writes the steps behind it once more, and
/// the later line holds.
inline void add_point(Series& series, double x, double y) {
  while (!series.x.empty() && series.x.back() >= x) {
    series.x.pop_back();
    series.y.pop_back();
  }
  series.x.push_back(x);
  series.y.push_back(y);
}

}  // namespace limpid::detail
