#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>
#include <limpid/degradations/planes.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <cmath>
#include <numbers>
#endif

namespace limpid::detail {

/// Number of the picture, of those that each halve the one before, in which one pixel is about as
/// wide as `blur` pixels of the photograph; the halved photograph is number 0.
LIMPID_INLINE std::int64_t scene_level(double blur, std::int64_t levels);

/// A photograph and its halves, quarters ...: what drops see of it, at the sharpness they see it.
class ScenePyramid {
 public:
  ScenePyramid(const float* image, std::int64_t height, std::int64_t width);

  /// The level in which one pixel is about as wide as `blur` pixels of the photograph.
  std::size_t level(double blur) const;

  /// The level that shows nothing but wide patches of light: eight on the shorter side.
  std::size_t glow_level() const;

  /// Colour at (y, x) of the photograph, in pixels, mirrored beyond its borders.
  std::array<float, 3> sample(std::size_t level, float y, float x) const;

 private:
  std::int64_t height_;
  std::int64_t width_;
  std::vector<Planes> levels_;
};

/// The outline of a drop: a few overlapping ellipses, melted together, their edges wavy.
class DropOutline {
 public:
  struct Place {
    float depth;  ///< 0 at the edge and outside, 1 at the middle
    float dy;     ///< from the middle of the drop, in radii; down is positive
    float dx;
  };

  /// @param radius  pixels, of the main ellipse.
  DropOutline(double y, double x, double radius, double irregularity, Random& random);

  float radius() const { return radius_; }
  float y() const { return y_; }
  float x() const { return x_; }

  /// No point of the drop is farther above, below or beside its middle, in pixels.
  float reach_y() const { return reach_y_; }
  float reach_x() const { return reach_x_; }

  Place at(float y, float x) const;

 private:
  struct Lobe {
    float dy, dx, ry, rx;
    float wave2, lean2, wave3, lean3;

    float largest_edge() const;

    /// 1 at the middle, 0 at the edge and beyond.
    float inside(float y, float x) const;
  };

  void add(double dy, double dx, double radius, double irregularity, Random& random);

  float y_;
  float x_;
  float radius_;
  float reach_y_ = 0;
  float reach_x_ = 0;
  std::vector<Lobe> lobes_;
};

/// What a thin film of water between the drops does to a photograph.
struct WaterFilm {
  float soften, glow;

  /// How much of the photograph itself, its half and its quarter a pixel shows beside the glow.
  std::array<float, 3> shares() const;
};

/// How a drop looks, beside its outline.
struct DropLook {
  float edge, opacity, view, veil, shading;
};

/// Calls visit(index, place) for each pixel of a picture that the drop covers, row by row.
template <class Visit>
void each_pixel_behind(const DropOutline& drop, std::int64_t height, std::int64_t width,
                       Visit visit) {
  const auto first = [](float at) {
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(at));
  };
  const auto last = [](float at, std::int64_t count) {
    return std::min(count, static_cast<std::int64_t>(at) + 1);
  };
  const auto bottom = last(drop.y() + drop.reach_y(), height);
  const auto right = last(drop.x() + drop.reach_x(), width);
  for (auto y = first(drop.y() - drop.reach_y()); y < bottom; ++y) {
    for (auto x = first(drop.x() - drop.reach_x()); x < right; ++x) {
      const auto place = drop.at(static_cast<float>(y) + 0.5f, static_cast<float>(x) + 0.5f);
      if (place.depth > 0.0f) visit(y * width + x, place);
    }
  }
}

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::int64_t scene_level(double blur, std::int64_t levels) {
  const auto at = std::lround(std::log2(std::max(blur, 2.0))) - 1;
  return std::min<std::int64_t>(at, levels - 1);
}

LIMPID_INLINE ScenePyramid::ScenePyramid(const float* image, std::int64_t height,
                                         std::int64_t width)
    : height_(height), width_(width) {
  levels_.push_back(halved(image, height, width));
  while (std::min(levels_.back().height, levels_.back().width) > 6) {
    const auto& last = levels_.back();
    levels_.push_back(halved(last.values.data(), last.height, last.width));
  }
}

LIMPID_INLINE std::size_t ScenePyramid::level(double blur) const {
  return static_cast<std::size_t>(scene_level(blur, static_cast<std::int64_t>(levels_.size())));
}

LIMPID_INLINE std::size_t ScenePyramid::glow_level() const {
  return level(static_cast<double>(std::min(height_, width_)) / 8);
}

LIMPID_INLINE std::array<float, 3> ScenePyramid::sample(std::size_t level, float y, float x) const {
  const auto& from = levels_[level];
  const auto row = y / static_cast<float>(height_) * static_cast<float>(from.height) - 0.5f;
  const auto column = x / static_cast<float>(width_) * static_cast<float>(from.width) - 0.5f;
  const auto y0 = static_cast<std::int64_t>(std::floor(row));
  const auto x0 = static_cast<std::int64_t>(std::floor(column));
  const auto fy = row - static_cast<float>(y0);
  const auto fx = column - static_cast<float>(x0);
  const auto upper = mirrored(y0, from.height) * from.width;
  const auto lower = mirrored(y0 + 1, from.height) * from.width;
  const auto left = mirrored(x0, from.width);
  const auto right = mirrored(x0 + 1, from.width);
  std::array<float, 3> colour{};
  for (std::int64_t c = 0; c < 3; ++c) {
    const auto* plane = from.plane(c);
    const auto above = plane[upper + left] + fx * (plane[upper + right] - plane[upper + left]);
    const auto below = plane[lower + left] + fx * (plane[lower + right] - plane[lower + left]);
    colour[static_cast<std::size_t>(c)] = above + fy * (below - above);
  }
  return colour;
}

LIMPID_INLINE DropOutline::DropOutline(double y, double x, double radius, double irregularity,
                                       Random& random)
    : y_(static_cast<float>(y)), x_(static_cast<float>(x)), radius_(static_cast<float>(radius)) {
  add(0, 0, 1, irregularity, random);
  const auto more = random.chance(irregularity) ? 1 + random.below(2) : 0;
  for (std::int64_t i = 0; i < more; ++i) {
    const auto angle = random.uniform(0, 2 * std::numbers::pi);
    const auto away = random.uniform(0.5, 0.9);
    add(away * std::sin(angle), away * std::cos(angle), random.uniform(0.4, 0.7), irregularity,
        random);
  }
}

LIMPID_INLINE DropOutline::Place DropOutline::at(float y, float x) const {
  const auto dy = (y - y_) / radius_;
  const auto dx = (x - x_) / radius_;
  auto outside = 1.0f;
  for (const auto& lobe : lobes_) outside *= 1.0f - lobe.inside(dy, dx);
  return {1.0f - outside, dy, dx};
}

LIMPID_INLINE float DropOutline::Lobe::largest_edge() const {
  return 1.0f + std::abs(wave2) + std::abs(lean2) + std::abs(wave3) + std::abs(lean3);
}

LIMPID_INLINE float DropOutline::Lobe::inside(float y, float x) const {
  y = (y - dy) / ry;
  x = (x - dx) / rx;
  const auto square = y * y + x * x;
  if (square > 2.0f) return 0.0f;
  const auto length = std::sqrt(square) + 1e-6f;
  const auto s = y / length;
  const auto c = x / length;
  const auto cosine2 = c * c - s * s;
  const auto sine2 = 2 * s * c;
  const auto cosine3 = c * cosine2 - s * sine2;
  const auto sine3 = s * cosine2 + c * sine2;
  const auto edge = 1.0f + wave2 * cosine2 + lean2 * sine2 + wave3 * cosine3 + lean3 * sine3;
  return std::clamp(1.0f - length / edge, 0.0f, 1.0f);
}

LIMPID_INLINE void DropOutline::add(double dy, double dx, double radius, double irregularity,
                                    Random& random) {
  const auto wave = [&](double most) {
    return static_cast<float>(irregularity * random.uniform(-most, most));
  };
  const auto tall = 1.0 + irregularity * random.uniform(-0.1, 0.35);
  Lobe lobe{};
  lobe.dy = static_cast<float>(dy);
  lobe.dx = static_cast<float>(dx);
  lobe.ry = static_cast<float>(radius * std::sqrt(tall));
  lobe.rx = static_cast<float>(radius / std::sqrt(tall));
  lobe.wave2 = wave(0.1);
  lobe.lean2 = wave(0.1);
  lobe.wave3 = wave(0.08);
  lobe.lean3 = wave(0.08);
  lobes_.push_back(lobe);
  const auto swell = lobe.largest_edge() + 1e-3f;
  reach_y_ = std::max(reach_y_, radius_ * (std::abs(lobe.dy) + swell * lobe.ry));
  reach_x_ = std::max(reach_x_, radius_ * (std::abs(lobe.dx) + swell * lobe.rx));
}

LIMPID_INLINE std::array<float, 3> WaterFilm::shares() const {
  const auto half = std::min(soften, 1.0f);
  const auto quarter = std::max(soften - 1.0f, 0.0f);
  return {1.0f - half, half - quarter, quarter};
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
