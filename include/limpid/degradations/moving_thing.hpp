#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/light_picture.hpp>
#include <limpid/degradations/pose_path.hpp>

#include <array>
#include <cstdint>
#include <numbers>

#ifdef LIMPID_BODIES
#include <limpid/degradations/planes.hpp>

#include <algorithm>
#include <cmath>
#endif

namespace limpid::detail {

/// The outline of a thing: a wavy disc with a soft edge.
class ThingOutline {
 public:
  /// @param radius    pixels, of the disc without its waves
  /// @param softness  pixels beyond the outline in which the thing ends
  ThingOutline(PicturePoint centre, double radius, double softness, Random& random);

  /// An outline that covers no picture.
  static ThingOutline nowhere();

  PicturePoint centre() const { return centre_; }

  /// Centre (2), radius and softness in pixels, and the waves of the edge in radii: of cos 2a, sin
  /// 2a, cos 3a, sin 3a.
  std::array<float, 8> numbers() const;

  /// No part of the thing is farther from its centre, pixels.
  float extent() const { return 1.75f * radius_ + softness_; }

  /// 1 within the outline, smoothly to 0 over the softness beyond it.
  float cover(float x, float y) const;

  /// How far a place lies within the outline, along the ray from the centre; negative outside.
  float depth(float x, float y) const;

  /// The place as far beyond the outline as (x, y) is within, on the same ray.
  PicturePoint mirrored_out(float x, float y) const;

  /// The pixels that the thing may cover.
  Window box() const;

 private:
  struct Place {
    float length, edge;  ///< from the centre, in radii: of the place, of the outline on its ray
    float cosine, sine;
  };

  Place locate(float x, float y) const;

  PicturePoint centre_;
  float radius_;
  float softness_;
  float wave2_ = 0, lean2_ = 0, wave3_ = 0, lean3_ = 0;
};

/// A part of the picture that moves by itself, before the rest.
struct MovingThing {
  ThingOutline outline;
  PosePath path;

  /// How deep within the outline the movement of both shows what lies behind, pixels.
  float uncovered(double behind_reach) const;

  /// What is seen where the thing has moved away: the surroundings, mirrored at its outline, since
  /// no picture knows what the thing hides.
  void clear_from(LightPicture& background, const LightPicture& scene, double reach) const;

  /// The thing alone, as far as `scene` shows it: its light and, as fourth part, its cover.
  LightPicture cut_from(const LightPicture& scene) const;

  /// Whether enough of the thing lies in the window to be cut out.
  bool is_seen_in(const Window& window) const;

  /// Sources of light mirrored at the outline lie this much farther off, for slanted outlines.
  static constexpr float kSlope = 1.3f;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE ThingOutline::ThingOutline(PicturePoint centre, double radius, double softness,
                                         Random& random)
    : centre_(centre),
      radius_(static_cast<float>(radius)),
      softness_(static_cast<float>(std::max(softness, 0.5))) {
  const auto wave = [&](double most) { return static_cast<float>(random.uniform(-most, most)); };
  wave2_ = wave(0.25);
  lean2_ = wave(0.25);
  wave3_ = wave(0.12);
  lean3_ = wave(0.12);
}

LIMPID_INLINE ThingOutline ThingOutline::nowhere() {
  Random random{0};
  return {{-1e6f, -1e6f}, 1, 1, random};
}

LIMPID_INLINE std::array<float, 8> ThingOutline::numbers() const {
  return {centre_.x, centre_.y, radius_, softness_, wave2_, lean2_, wave3_, lean3_};
}

LIMPID_INLINE float ThingOutline::cover(float x, float y) const {
  const auto place = locate(x, y);
  return 1.0f - smooth_step((place.length - place.edge) * radius_ / softness_);
}

LIMPID_INLINE float ThingOutline::depth(float x, float y) const {
  const auto place = locate(x, y);
  return (place.edge - place.length) * radius_;
}

LIMPID_INLINE PicturePoint ThingOutline::mirrored_out(float x, float y) const {
  const auto place = locate(x, y);
  const auto away = (2 * place.edge - place.length) * radius_;
  return {centre_.x + away * place.cosine, centre_.y + away * place.sine};
}

LIMPID_INLINE Window ThingOutline::box() const {
  const auto side = static_cast<std::int64_t>(std::ceil(extent())) + 2;
  return {static_cast<std::int64_t>(std::floor(centre_.y)) - side,
          static_cast<std::int64_t>(std::floor(centre_.x)) - side, 2 * side + 1, 2 * side + 1};
}

LIMPID_INLINE ThingOutline::Place ThingOutline::locate(float x, float y) const {
  const auto dx = x - centre_.x;
  const auto dy = y - centre_.y;
  const auto length = std::sqrt(dx * dx + dy * dy) + 1e-3f;
  const auto c = dx / length;
  const auto s = dy / length;
  const auto cosine2 = c * c - s * s;
  const auto sine2 = 2 * s * c;
  const auto cosine3 = c * cosine2 - s * sine2;
  const auto sine3 = s * cosine2 + c * sine2;
  const auto edge = 1.0f + wave2_ * cosine2 + lean2_ * sine2 + wave3_ * cosine3 + lean3_ * sine3;
  return {length / radius_, edge, c, s};
}

LIMPID_INLINE float MovingThing::uncovered(double behind_reach) const {
  return kSlope * static_cast<float>(behind_reach + path.reach() + 2.0);
}

LIMPID_INLINE void MovingThing::clear_from(LightPicture& background, const LightPicture& scene,
                                           double reach) const {
  const auto box = outline.box();
  const auto& window = background.window();
  const auto deepest = uncovered(reach);
  for (auto y = std::max(box.top, window.top); y < std::min(box.bottom(), window.bottom()); ++y) {
    auto* row = background.row(y);
    for (auto x = std::max(box.left, window.left); x < std::min(box.right(), window.right()); ++x) {
      const auto fx = static_cast<float>(x);
      const auto fy = static_cast<float>(y);
      const auto depth = outline.depth(fx, fy);
      if (depth <= 0 || depth > deepest) continue;
      row[x - window.left] = scene.sample(outline.mirrored_out(fx, fy));
    }
  }
}

LIMPID_INLINE LightPicture MovingThing::cut_from(const LightPicture& scene) const {
  const auto box = outline.box();
  const auto& window = scene.window();
  const auto top = std::max(box.top, window.top);
  const auto left = std::max(box.left, window.left);
  LightPicture layer{{top, left, std::min(box.bottom(), window.bottom()) - top,
                      std::min(box.right(), window.right()) - left}};
  for (auto y = layer.window().top; y < layer.window().bottom(); ++y) {
    auto* out = layer.row(y);
    for (auto x = left; x < layer.window().right(); ++x, ++out) {
      *out = scene.pixel(x, y);
      out->part[3] = outline.cover(static_cast<float>(x), static_cast<float>(y));
    }
  }
  return layer;
}

LIMPID_INLINE bool MovingThing::is_seen_in(const Window& window) const {
  const auto box = outline.box();
  return std::min(box.bottom(), window.bottom()) - std::max(box.top, window.top) >= 2 &&
         std::min(box.right(), window.right()) - std::max(box.left, window.left) >= 2;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
