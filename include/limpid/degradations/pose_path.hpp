#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <algorithm>
#endif

namespace limpid {

/// A place in a picture, in pixels; (0, 0) is the middle of its first pixel.
struct PicturePoint {
  float x = 0;
  float y = 0;
};

/// How a camera, or a thing before it, stands at one moment against its mean.
struct Pose {
  double x = 0;  ///< shift, pixels
  double y = 0;
  double roll = 0;    ///< radians about the centre
  double zoom = 0;    ///< logarithm of the magnification about the centre
  double tilt_x = 0;  ///< keystone about the centre, per pixel
  double tilt_y = 0;
};

/// Where each pixel of a frame lies in the sharp picture: the homography
///     p = c + s R(roll) (q - c) / (1 + tilt . (q - c)) + shift,   s = exp(zoom)
/// about a centre c, which need not lie in the picture.
class PoseWarp {
 public:
  PoseWarp(const Pose& pose, PicturePoint centre)
      : cx_(centre.x),
        cy_(centre.y),
        to_x_(static_cast<float>(centre.x + pose.x)),
        to_y_(static_cast<float>(centre.y + pose.y)),
        cosine_(static_cast<float>(std::exp(pose.zoom) * std::cos(pose.roll))),
        sine_(static_cast<float>(std::exp(pose.zoom) * std::sin(pose.roll))),
        tilt_x_(static_cast<float>(pose.tilt_x)),
        tilt_y_(static_cast<float>(pose.tilt_y)) {}

  PicturePoint operator()(float x, float y) const;

  /// The numbers of the formula: centre (2), centre + shift (2), s cos, s sin, tilt (2).
  std::array<float, 8> numbers() const;

 private:
  float cx_, cy_;
  float to_x_, to_y_;
  float cosine_, sine_;
  float tilt_x_, tilt_y_;
};

/// What a path of poses is made of. The four parts are weights: what is drawn for each says how far
/// it moves the farthest corner, against the others.
struct PosePathOptions {
  Interval shift{0, 1};
  Interval roll{0, 0.5};
  Interval zoom{0, 0.7};
  Interval tilt{0, 0.3};
  Interval bend{0, 0.7};         ///< 0: straight at an even speed; 1: there and back, and loops
  Interval centre{-0.25, 1.25};  ///< of roll, zoom and tilt: a part of the width and of the height

  /// @throws c10::ValueError for an option out of range.
  void check() const;
};

/// A smooth path of poses through the time in which a shutter is open, from -0.5 to 0.5. The mean
/// pose is none: what is averaged along the path is not shifted.
class PosePath {
 public:
  /// A path that moves no pixel of the rectangle from `first` to `last` by more than `size` between
  /// the ends of its box, in x or in y, and one of them by about `size`.
  PosePath(PicturePoint first, PicturePoint last, double size, const PosePathOptions& options,
           Random& random);

  PicturePoint centre() const { return centre_; }

  /// @param time  -0.5 to 0.5
  Pose at(double time) const;

  PoseWarp warp(double time) const;

  /// No pixel of the rectangle is ever moved farther, in x or in y; pixels.
  double reach() const { return reach_; }

  static constexpr std::size_t kTimes = 32;  ///< equal times of which `steps` tells

  /// How far the fastest pixel of the rectangle moves in each of `kTimes` equal times, pixels.
  const std::array<double, kTimes>& steps() const { return steps_; }

 private:
  /// A smooth function of time, of mean 0.
  struct Part {
    double curve = 0, wave = 0, phase = 0;

    Part() = default;
    Part(double bend, Random& random)
        : curve(bend * random.uniform(-1, 1)),
          wave(bend * random.uniform(0, 0.25)),
          phase(random.uniform(0, 2 * std::numbers::pi)) {}

    double across(double time) const;
    double along(double time) const;
  };

  static constexpr int kSides = 8;  // of the grid of pixels that are followed

  /// `visit(trail)` for pixels of a grid: where each of them is at each time.
  template <class Visit>
  void follow(Visit visit) const {
    std::vector<PoseWarp> warps;
    for (std::size_t t = 0; t <= kTimes; ++t) {
      warps.push_back(warp(static_cast<double>(t) / kTimes - 0.5));
    }
    std::array<PicturePoint, kTimes + 1> trail;
    for (int row = 0; row <= kSides; ++row) {
      for (int column = 0; column <= kSides; ++column) {
        const auto x = first_.x + (last_.x - first_.x) * static_cast<float>(column) / kSides;
        const auto y = first_.y + (last_.y - first_.y) * static_cast<float>(row) / kSides;
        for (std::size_t t = 0; t < trail.size(); ++t) {
          const auto to = warps[t](x, y);
          trail[t] = {to.x - x, to.y - y};
        }
        visit(trail);
      }
    }
  }

  void multiply(double factor);

  void scale_to(double size);

  /// The longest side of a box around the trail of a pixel; sets reach and steps.
  double measure();

  PicturePoint first_, last_, centre_;
  std::array<Part, 5> parts_;
  double across_ = 0;
  Pose weights_;
  double reach_ = 0;
  std::array<double, kTimes> steps_{};
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE PicturePoint PoseWarp::operator()(float x, float y) const {
  const auto dx = x - cx_;
  const auto dy = y - cy_;
  const auto nearer = 1.0f / (1.0f + tilt_x_ * dx + tilt_y_ * dy);
  return {to_x_ + (cosine_ * dx - sine_ * dy) * nearer,
          to_y_ + (sine_ * dx + cosine_ * dy) * nearer};
}

LIMPID_INLINE std::array<float, 8> PoseWarp::numbers() const {
  return {cx_, cy_, to_x_, to_y_, cosine_, sine_, tilt_x_, tilt_y_};
}

LIMPID_INLINE void PosePathOptions::check() const {
  detail::check_not_negative("PosePath: shift", shift);
  detail::check_not_negative("PosePath: roll", roll);
  detail::check_not_negative("PosePath: zoom", zoom);
  detail::check_not_negative("PosePath: tilt", tilt);
  detail::check_within("PosePath: bend", bend, {0, 2});
  detail::check_within("PosePath: centre", centre, {-100, 100});
}

LIMPID_INLINE PosePath::PosePath(PicturePoint first, PicturePoint last, double size,
                                 const PosePathOptions& options, Random& random)
    : first_(first), last_(last) {
  const double width = last.x - first.x, height = last.y - first.y;
  centre_ = {static_cast<float>(first.x + width * options.centre.draw(random)),
             static_cast<float>(first.y + height * options.centre.draw(random))};
  const auto bend = options.bend.draw(random);
  for (auto& part : parts_) part = Part{bend, random};
  const auto angle = random.uniform(0, 2 * std::numbers::pi);
  const auto lean = random.uniform(0, 2 * std::numbers::pi);
  const auto either = [&](double weight) { return random.chance(0.5) ? weight : -weight; };
  const auto shift = options.shift.draw(random);
  const auto roll = either(options.roll.draw(random));
  const auto zoom = either(options.zoom.draw(random));
  const auto tilt = options.tilt.draw(random);
  across_ = bend;

  const auto far = std::max(std::hypot(std::max(centre_.x - first.x, last.x - centre_.x),
                                       std::max(centre_.y - first.y, last.y - centre_.y)),
                            1.0f);
  weights_ = {shift * std::cos(angle),
              shift * std::sin(angle),
              roll / far,
              zoom / far,
              tilt * std::cos(lean) / (far * far),
              tilt * std::sin(lean) / (far * far)};
  scale_to(size);
}

LIMPID_INLINE Pose PosePath::at(double time) const {
  const auto along = parts_[0].along(time);
  const auto across = across_ * parts_[1].across(time);
  return {weights_.x * along - weights_.y * across, weights_.y * along + weights_.x * across,
          weights_.roll * parts_[2].along(time),    weights_.zoom * parts_[3].along(time),
          weights_.tilt_x * parts_[4].along(time),  weights_.tilt_y * parts_[4].along(time)};
}

LIMPID_INLINE PoseWarp PosePath::warp(double time) const { return {at(time), centre_}; }

LIMPID_INLINE double PosePath::Part::across(double time) const {
  return curve * (2 * time * time - 1.0 / 6) + wave * std::sin(2 * std::numbers::pi * time + phase);
}

LIMPID_INLINE double PosePath::Part::along(double time) const { return time + across(time); }

LIMPID_INLINE void PosePath::multiply(double factor) {
  for (auto* weight : {&weights_.x, &weights_.y, &weights_.roll, &weights_.zoom, &weights_.tilt_x,
                       &weights_.tilt_y}) {
    *weight *= factor;
  }
}

LIMPID_INLINE void PosePath::scale_to(double size) {
  // Small poses first: there a homography grows with its numbers.
  multiply(0.1);
  const auto extent = measure();
  multiply(extent > 1e-9 ? size / extent : 0.0);
  measure();
}

LIMPID_INLINE double PosePath::measure() {
  double extent = 0;
  reach_ = 0;
  steps_.fill(0);
  follow([&](const auto& trail) {
    PicturePoint low = trail[0], high = trail[0];
    for (std::size_t t = 0; t < trail.size(); ++t) {
      low = {std::min(low.x, trail[t].x), std::min(low.y, trail[t].y)};
      high = {std::max(high.x, trail[t].x), std::max(high.y, trail[t].y)};
      if (t == 0) continue;
      const auto step = std::hypot(trail[t].x - trail[t - 1].x, trail[t].y - trail[t - 1].y);
      steps_[t - 1] = std::max<double>(steps_[t - 1], step);
    }
    extent = std::max<double>({extent, high.x - low.x, high.y - low.y});
    reach_ = std::max<double>({reach_, high.x, high.y, -low.x, -low.y});
  });
  return extent;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
