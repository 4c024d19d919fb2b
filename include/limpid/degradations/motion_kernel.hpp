#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <complex>
#include <cstdint>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#endif

namespace limpid {

/// How a camera shakes while its shutter is open.
struct MotionTrajectoryOptions {
  std::int64_t points = 500;  ///< steps of the random walk; the papers take 2000
  double anxiety = 0.005;     ///< 0: a straight line; 0.005: a hand; above 0.05: a tangle
};

/// A random camera path: `points` positions in pixels, (x, y) as (real, imaginary), first at 0,
/// of total length `length`.
///
/// A Markov process: a particle keeps its velocity (inertia) and is disturbed at each step by a
/// Gaussian kick, by a pull back to where it began, and, rarely, by an impulsive shake that turns
/// it about. Its speed is constant, so each step is as long as any other:
///     dv = shake + anxiety (g (n1 + i n2) - p x_t) s,    v <- s (v + dv) / |v + dv|
/// with s the length of a step, n1, n2 standard normal, g ~ U(0, 10), p ~ U(0, 0.7) per path, and
/// shake = 2 v exp(i (pi + U(-0.5, 0.5))) with probability U(0, 0.2) anxiety, else 0.
///
/// Source: Boracchi and Foi, "Modeling the Performance of Image Restoration from Motion Blur",
/// IEEE TIP 2012, sec. on PSF generation; Kupyn et al., "DeblurGAN", CVPR 2018, sec. 4, alg. 1.
/// Differs: anxiety is per step of a path of 2000; a path of fewer points scales its chances, so
/// that it shakes as often over its whole length.
///
/// @throws c10::ValueError unless points >= 2, length > 0 and anxiety >= 0.
LIMPID_INLINE std::vector<std::complex<double>> motion_trajectory(
    double length, Random& random, const MotionTrajectoryOptions& options = {});

namespace detail {

/// Taps of a kernel as a picture: (2 radius + 1, 2 radius + 1) floats.
template <class Tap>
at::Tensor dense_kernel(const std::vector<Tap>& taps, std::int64_t radius) {
  const auto side = 2 * radius + 1;
  auto picture = at::zeros({side, side}, at::TensorOptions{}.dtype(at::kFloat));
  auto* out = picture.data_ptr<float>();
  for (const auto& tap : taps) out[(tap.dy + radius) * side + tap.dx + radius] = tap.weight;
  return picture;
}

}  // namespace detail

/// A blur kernel as the list of its taps that are not zero: weights that sum to 1, at whole-pixel
/// offsets from the centroid.
class MotionKernel {
 public:
  struct Tap {
    std::int64_t dy;
    std::int64_t dx;
    float weight;
  };

  /// The time that a moving camera spent at each pixel.
  ///
  /// The positions are moved so that their mean is 0, then each is shared among its four neighbours
  /// by bilinear weights, which keeps the mean: blurring with this kernel does not shift an image.
  ///
  /// @param path  positions in pixels, (x, y) as (real, imaginary), equal times apart.
  /// @throws c10::ValueError if `path` is empty.
  explicit MotionKernel(const std::vector<std::complex<double>>& path);

  /// The taps, row after row.
  const std::vector<Tap>& taps() const { return taps_; }

  /// Largest offset of a tap, in pixels.
  std::int64_t radius() const { return radius_; }

  /// The kernel as a picture: (2 radius + 1, 2 radius + 1) floats, its centre the centroid.
  at::Tensor dense() const;

 private:
  std::vector<Tap> taps_;
  std::int64_t radius_ = 0;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::vector<std::complex<double>> motion_trajectory(
    double length, Random& random, const MotionTrajectoryOptions& options) {
  detail::check_at_least("motion_trajectory: points", options.points, 2);
  detail::check_positive("motion_trajectory: length", length);
  detail::check_not_negative("motion_trajectory: anxiety", options.anxiety);
  using Complex = std::complex<double>;

  const auto step = length / static_cast<double>(options.points - 1);
  const auto steps_each = 2000.0 / static_cast<double>(options.points);
  const auto pull = random.uniform(0.0, 0.7) * steps_each;
  const auto kick = random.uniform(0.0, 10.0) * std::sqrt(steps_each);
  const auto shake_chance = random.uniform(0.0, 0.2) * options.anxiety * steps_each;

  auto velocity = std::polar(step, random.uniform(0.0, 2.0 * std::numbers::pi));
  std::vector<Complex> path(static_cast<std::size_t>(options.points));
  // The pull is measured on a path of the papers' 64 pixels, whatever `length` is.
  const auto to_reference = 64.0 / length;
  for (std::size_t t = 1; t < path.size(); ++t) {
    Complex change = 0;
    if (random.chance(shake_chance)) {
      change = 2.0 * velocity * std::polar(1.0, std::numbers::pi + random.uniform(-0.5, 0.5));
    }
    const auto real = random.normal();
    const auto imaginary = random.normal();
    change += options.anxiety * step *
              (kick * Complex{real, imaginary} - pull * to_reference * path[t - 1]);
    velocity += change;
    const auto speed = std::abs(velocity);
    velocity = speed > 1e-12 * step ? velocity * (step / speed) : Complex{step, 0};
    path[t] = path[t - 1] + velocity;
  }
  return path;
}

LIMPID_INLINE MotionKernel::MotionKernel(const std::vector<std::complex<double>>& path) {
  TORCH_CHECK_VALUE(!path.empty(), "MotionKernel: expected at least one position, got none");
  std::complex<double> mean = 0;
  for (const auto& position : path) mean += position;
  mean /= static_cast<double>(path.size());

  std::map<std::pair<std::int64_t, std::int64_t>, double> times;
  const auto share = 1.0 / static_cast<double>(path.size());
  for (const auto& position : path) {
    const auto at = position - mean;
    const auto x = std::floor(at.real());
    const auto y = std::floor(at.imag());
    const auto fx = at.real() - x;
    const auto fy = at.imag() - y;
    const auto column = static_cast<std::int64_t>(x);
    const auto row = static_cast<std::int64_t>(y);
    times[{row, column}] += share * (1 - fy) * (1 - fx);
    times[{row, column + 1}] += share * (1 - fy) * fx;
    times[{row + 1, column}] += share * fy * (1 - fx);
    times[{row + 1, column + 1}] += share * fy * fx;
  }
  for (const auto& [offset, time] : times) {
    if (time <= 0) continue;
    taps_.push_back({offset.first, offset.second, static_cast<float>(time)});
    radius_ = std::max({radius_, std::abs(offset.first), std::abs(offset.second)});
  }
}

LIMPID_INLINE at::Tensor MotionKernel::dense() const {
  return detail::dense_kernel(taps_, radius_);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
