#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace limpid::detail {

/// An asymmetric generalised Gaussian distribution around zero: a shape, and a scale on each side.
struct AsymmetricGaussian {
  double shape = 0;
  double left = 0, right = 0;

  /// Where its mean lies.
  double mean() const {
    return (right - left) * std::exp(std::lgamma(2 / shape) - std::lgamma(1 / shape));
  }
};

/// Shapes 0.2, 0.201 .. 10, and gamma(2/a)^2 / (gamma(1/a) gamma(3/a)) of each, which rises.
struct ShapeTable {
  std::vector<double> shapes, ratios;

  ShapeTable() {
    for (int i = 0; i <= 9800; ++i) {
      const auto a = 0.2 + 0.001 * i;
      shapes.push_back(a);
      ratios.push_back(std::exp(2 * std::lgamma(2 / a) - std::lgamma(1 / a) - std::lgamma(3 / a)));
    }
  }

  /// The shape whose ratio is nearest.
  double nearest(double ratio) const {
    const auto above = std::lower_bound(ratios.begin(), ratios.end(), ratio);
    auto index = static_cast<std::size_t>(above - ratios.begin());
    if (index == ratios.size()) return shapes.back();
    if (index > 0 && ratio - ratios[index - 1] <= ratios[index] - ratio) --index;
    return shapes[index];
  }
};

/// Fits the distribution to values by their moments; zeros lie on neither side.
///
/// Source: Lasmar, Stitou, Berthoumieu, "Multiscale Skewed Heavy Tailed Model for Texture
/// Analysis", ICIP 2009, sec. 2.3, with the shapes searched as in Mittal et al.'s NIQE.
/// @return nothing where no value lies to the left, or none to the right.
inline std::optional<AsymmetricGaussian> fit_asymmetric_gaussian(
    const std::vector<double>& values) {
  static const ShapeTable table;
  double left = 0, right = 0, sum = 0;
  std::size_t lefts = 0, rights = 0;
  for (const auto value : values) {
    sum += std::abs(value);
    if (value < 0) {
      left += value * value;
      ++lefts;
    } else if (value > 0) {
      right += value * value;
      ++rights;
    }
  }
  if (lefts == 0 || rights == 0) return std::nullopt;
  const auto count = static_cast<double>(values.size());
  const auto left_std = std::sqrt(left / static_cast<double>(lefts));
  const auto right_std = std::sqrt(right / static_cast<double>(rights));
  const auto g = left_std / right_std, g2 = g * g;
  const auto ratio = sum / count * sum / (left + right);  // mean(|x|)^2 / mean(x^2)
  const auto shape = table.nearest(ratio * (g2 * g + 1) * (g + 1) / ((g2 + 1) * (g2 + 1)));
  const auto scale = std::exp((std::lgamma(1 / shape) - std::lgamma(3 / shape)) / 2);
  return AsymmetricGaussian{shape, left_std * scale, right_std * scale};
}

}  // namespace limpid::detail
