#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/light_curve.hpp>
#include <limpid/degradations/light_picture.hpp>
#include <limpid/degradations/moving_thing.hpp>
#include <limpid/degradations/pose_path.hpp>

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <algorithm>
#include <cmath>
#endif

namespace limpid {

/// What a moving camera sees of a scene in which things move, while its shutter is open: frames
/// along smooth paths of pose, averaged in light.
class MovingScene {
 public:
  /// @param camera  how the scene moves before the camera
  /// @param things  what moves by itself, from back to front
  MovingScene(std::int64_t height, std::int64_t width, PosePath camera,
              std::vector<detail::MovingThing> things, double gamma, double highlights);

  /// One look at the scene.
  struct Frame {
    double time;  ///< -0.5 to 0.5
    float share;  ///< of the time in which the shutter is open
  };

  /// What is averaged: closer in time where things are faster, so many that no pixel steps farther
  /// than one, at most 128; one where nothing moves.
  const std::vector<Frame>& frames() const { return frames_; }

  bool is_still() const { return frames_.size() == 1; }

  /// Pixels around a part of the picture that are needed to make it.
  std::int64_t margin() const;

  /// Light of what is stored as white.
  double gamma() const { return gamma_; }
  float highlights() const { return highlights_; }

  const PosePath& camera() const { return camera_; }
  const std::vector<detail::MovingThing>& things() const { return things_; }

  /// @param pixels  (3, h, w) float in [0, 1]: what `window` shows of the sharp picture
  /// @return        same shape; pixels within `margin` of a border of the window that is none of
  ///                the picture are left as they are
  at::Tensor seen(const at::Tensor& pixels, const Window& window) const;

 private:
  static constexpr std::int64_t kMostFrames = 128;
  static constexpr std::int64_t kTile = 384;  // of a large picture, so that memory stays small

  /// A thing in front and how it stands in each frame.
  struct Layer {
    detail::LightPicture light;
    std::vector<PoseWarp> warps;
    double reach;
  };

  Window complete_part(const Window& window) const;

  std::vector<PoseWarp> warps_of(const PosePath& path) const;

  void see(const float* stored, const Window& window, const Window& tile, float* result) const;

  static void cover_row(const Layer& layer, std::size_t frame, std::int64_t left, std::int64_t y,
                        detail::SampleRow& places, std::vector<detail::Light>& seen);

  void store(const std::vector<detail::Light>& sum, const Window& window, std::int64_t left,
             std::int64_t y, float* result) const;

  /// Frames that are equally far apart on the way of what is fastest at each time.
  void spread_frames(std::array<double, PosePath::kTimes> steps);

  std::int64_t height_;
  std::int64_t width_;
  PosePath camera_;
  std::vector<detail::MovingThing> things_;
  double gamma_;
  LightCurve curve_;
  float highlights_;
  double reach_ = 0;
  std::vector<Frame> frames_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE MovingScene::MovingScene(std::int64_t height, std::int64_t width, PosePath camera,
                                       std::vector<detail::MovingThing> things, double gamma,
                                       double highlights)
    : height_(height),
      width_(width),
      camera_(std::move(camera)),
      things_(std::move(things)),
      gamma_(gamma),
      curve_(gamma),
      highlights_(static_cast<float>(highlights)) {
  auto steps = camera_.steps();
  reach_ = camera_.reach();
  for (const auto& thing : things_) {
    const auto mirror = 2.0 * static_cast<double>(thing.uncovered(camera_.reach()));
    reach_ = std::max({reach_, thing.path.reach(), camera_.reach() + mirror});
    for (std::size_t t = 0; t < steps.size(); ++t) {
      steps[t] = std::max(steps[t], thing.path.steps()[t]);
    }
  }
  spread_frames(steps);
}

LIMPID_INLINE std::int64_t MovingScene::margin() const {
  return is_still() ? 0 : static_cast<std::int64_t>(std::ceil(reach_)) + 3;
}

LIMPID_INLINE at::Tensor MovingScene::seen(const at::Tensor& pixels, const Window& window) const {
  auto result = pixels.clone();
  if (is_still()) return result;
  const auto inner = complete_part(window);
  for (auto y = inner.top; y < inner.bottom(); y += kTile) {
    for (auto x = inner.left; x < inner.right(); x += kTile) {
      see(pixels.data_ptr<float>(), window,
          {y, x, std::min(kTile, inner.bottom() - y), std::min(kTile, inner.right() - x)},
          result.data_ptr<float>());
    }
  }
  return result;
}

LIMPID_INLINE Window MovingScene::complete_part(const Window& window) const {
  const auto inside = [&](std::int64_t from, std::int64_t to, std::int64_t most) {
    if (from > 0) from += margin();
    if (to < most) to -= margin();
    return std::pair{from, std::max(from, to)};
  };
  const auto [top, bottom] = inside(window.top, window.bottom(), height_);
  const auto [left, right] = inside(window.left, window.right(), width_);
  return {top, left, bottom - top, right - left};
}

LIMPID_INLINE std::vector<PoseWarp> MovingScene::warps_of(const PosePath& path) const {
  std::vector<PoseWarp> warps;
  for (const auto& frame : frames_) warps.push_back(path.warp(frame.time));
  return warps;
}

LIMPID_INLINE void MovingScene::see(const float* stored, const Window& window, const Window& tile,
                                    float* result) const {
  const auto around = margin();
  detail::LightPicture scene{
      {tile.top - around, tile.left - around, tile.height + 2 * around, tile.width + 2 * around}};
  scene.fill(stored, window, height_, width_, curve_, highlights_);
  std::vector<Layer> layers;
  auto background = scene;
  for (const auto& thing : things_) {
    if (!thing.is_seen_in(scene.window())) continue;
    thing.clear_from(background, scene, camera_.reach());
    layers.push_back({thing.cut_from(scene), warps_of(thing.path), thing.path.reach()});
  }

  const auto warps = warps_of(camera_);
  std::vector<detail::Light> sum(static_cast<std::size_t>(tile.width));
  std::vector<detail::Light> seen(sum.size());
  detail::SampleRow places{tile.width};
  for (auto y = tile.top; y < tile.bottom(); ++y) {
    std::fill(sum.begin(), sum.end(), detail::Light{});
    for (std::size_t f = 0; f < frames_.size(); ++f) {
      places.locate(warps[f], background.window(), tile.left, y, 0, tile.width);
      for (std::size_t i = 0; i < seen.size(); ++i) seen[i] = background.sample(places, i);
      for (const auto& layer : layers) cover_row(layer, f, tile.left, y, places, seen);
      for (std::size_t i = 0; i < seen.size(); ++i) sum[i].part += frames_[f].share * seen[i].part;
    }
    store(sum, window, tile.left, y, result);
  }
}

LIMPID_INLINE void MovingScene::cover_row(const Layer& layer, std::size_t frame, std::int64_t left,
                                          std::int64_t y, detail::SampleRow& places,
                                          std::vector<detail::Light>& seen) {
  const auto reach = static_cast<std::int64_t>(std::ceil(layer.reach)) + 2;
  const auto& box = layer.light.window();
  if (y < box.top - reach || y >= box.bottom() + reach) return;
  const auto from = std::max<std::int64_t>(box.left - reach - left, 0);
  const auto to = std::min(box.right() + reach - left, static_cast<std::int64_t>(seen.size()));
  places.locate(layer.warps[frame], box, left, y, from, to);
  for (auto i = static_cast<std::size_t>(from); static_cast<std::int64_t>(i) < to; ++i) {
    const auto thing = layer.light.sample(places, i).part;
    seen[i].part += thing[3] * (thing - seen[i].part);
  }
}

LIMPID_INLINE void MovingScene::store(const std::vector<detail::Light>& sum, const Window& window,
                                      std::int64_t left, std::int64_t y, float* result) const {
  const auto plane = window.height * window.width;
  auto* out = result + (y - window.top) * window.width + left - window.left;
  for (std::size_t x = 0; x < sum.size(); ++x) {
    for (int c = 0; c < 3; ++c) {
      out[c * plane + static_cast<std::int64_t>(x)] = curve_.stored(sum[x].part[c]);
    }
  }
}

LIMPID_INLINE void MovingScene::spread_frames(std::array<double, PosePath::kTimes> steps) {
  double length = 0;
  for (const auto step : steps) length += step;
  if (length < 0.05) {
    frames_ = {{0, 1}};
    return;
  }
  std::array<double, PosePath::kTimes + 1> way{};
  for (std::size_t t = 0; t < steps.size(); ++t) {
    way[t + 1] = way[t] + std::max(steps[t], 0.01 * length / PosePath::kTimes);
  }
  const auto count = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::ceil(1.05 * way.back())) + 1, 3, kMostFrames);
  std::size_t t = 0;
  double start = -0.5;
  for (std::int64_t i = 1; i <= count; ++i) {
    const auto done = way.back() * static_cast<double>(i) / static_cast<double>(count);
    while (t + 2 < way.size() && way[t + 1] < done) ++t;
    const auto part = std::min((done - way[t]) / (way[t + 1] - way[t]), 1.0);
    const auto end = (static_cast<double>(t) + part) / PosePath::kTimes - 0.5;
    frames_.push_back({(start + end) / 2, static_cast<float>(end - start)});
    start = end;
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
