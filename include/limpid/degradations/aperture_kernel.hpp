#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/degradations/motion_kernel.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <cmath>
#include <numbers>
#endif

namespace limpid {

/// The opening of a lens: what a point of light out of focus looks like.
struct Aperture {
  double radius = 4;        ///< of the circle around it, pixels
  std::int64_t blades = 0;  ///< corners of the polygon; 0: a disc
  double roundness = 0;     ///< 0: straight edges; 1: a disc
  double turn = 0;          ///< radians

  /// Distance of the edge from the centre in a direction, pixels.
  double edge(double angle) const;
};

/// A blur kernel in the shape of an aperture: weights that sum to 1, each in proportion to the part
/// of its pixel that the aperture covers.
class ApertureKernel {
 public:
  using Tap = MotionKernel::Tap;

  /// @throws c10::ValueError unless radius >= 0, roundness lies in [0, 1] and blades are 0 or at
  ///   least 3.
  explicit ApertureKernel(const Aperture& aperture);

  /// The taps, row after row.
  const std::vector<Tap>& taps() const { return taps_; }

  /// Largest offset of a tap, in pixels.
  std::int64_t radius() const { return radius_; }

  /// The kernel as a picture: (2 radius + 1, 2 radius + 1) floats.
  at::Tensor dense() const;

 private:
  /// Of 7 x 7 points of a pixel, those that the aperture covers; the middle one always is.
  static double share_of_pixel(const Aperture& aperture, std::int64_t dy, std::int64_t dx);

  std::int64_t radius_ = 0;
  std::vector<Tap> taps_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE double Aperture::edge(double angle) const {
  if (blades == 0) return radius;
  const auto sector = 2 * std::numbers::pi / static_cast<double>(blades);
  const auto from_corner = angle - turn - sector * std::floor((angle - turn) / sector);
  const auto straight = std::cos(sector / 2) / std::cos(from_corner - sector / 2);
  return radius * (roundness + (1 - roundness) * straight);
}

LIMPID_INLINE ApertureKernel::ApertureKernel(const Aperture& aperture)
    : radius_(static_cast<std::int64_t>(std::ceil(aperture.radius))) {
  detail::check_not_negative("ApertureKernel: radius", aperture.radius);
  TORCH_CHECK_VALUE(aperture.blades == 0 || aperture.blades >= 3,
                    "ApertureKernel: blades must be 0 or at least 3, got ", aperture.blades);
  TORCH_CHECK_VALUE(0 <= aperture.roundness && aperture.roundness <= 1,
                    "ApertureKernel: roundness must lie within 0:1, got ", aperture.roundness);
  double sum = 0;
  for (auto dy = -radius_; dy <= radius_; ++dy) {
    for (auto dx = -radius_; dx <= radius_; ++dx) {
      const auto covered = share_of_pixel(aperture, dy, dx);
      if (covered <= 0) continue;
      taps_.push_back({dy, dx, static_cast<float>(covered)});
      sum += covered;
    }
  }
  for (auto& tap : taps_) tap.weight = static_cast<float>(tap.weight / sum);
}

LIMPID_INLINE at::Tensor ApertureKernel::dense() const {
  return detail::dense_kernel(taps_, radius_);
}

LIMPID_INLINE double ApertureKernel::share_of_pixel(const Aperture& aperture, std::int64_t dy,
                                                    std::int64_t dx) {
  constexpr int kPoints = 7;
  int covered = 0;
  for (int i = 0; i < kPoints; ++i) {
    for (int j = 0; j < kPoints; ++j) {
      const auto y = static_cast<double>(dy) + (i + 0.5) / kPoints - 0.5;
      const auto x = static_cast<double>(dx) + (j + 0.5) / kPoints - 0.5;
      const auto length = std::hypot(x, y);
      if (length < 1e-9 || length <= aperture.edge(std::atan2(y, x))) ++covered;
    }
  }
  return static_cast<double>(covered) / (kPoints * kPoints);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
