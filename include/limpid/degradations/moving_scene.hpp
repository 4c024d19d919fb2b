#pragma once

#include <limpid/core/window.hpp>
#include <limpid/degradations/light_curve.hpp>
#include <limpid/degradations/light_picture.hpp>
#include <limpid/degradations/moving_thing.hpp>
#include <limpid/degradations/pose_path.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace limpid {

/// What a moving camera sees of a scene in which things move, while its shutter is open: frames
/// along smooth paths of pose, averaged in light.
class MovingScene {
 public:
  /// @param camera  how the scene moves before the camera
  /// @param things  what moves by itself, from back to front
  MovingScene(std::int64_t height, std::int64_t width, PosePath camera,
              std::vector<detail::MovingThing> things, double gamma, double highlights)
      : height_(height),
        width_(width),
        camera_(std::move(camera)),
        things_(std::move(things)),
        curve_(gamma),
        highlights_(static_cast<float>(highlights)) {
    auto speed = camera_.speed();
    reach_ = camera_.reach();
    for (const auto& thing : things_) {
      const auto mirror = 2.0 * static_cast<double>(thing.uncovered(camera_.reach()));
      reach_ = std::max({reach_, thing.path.reach(), camera_.reach() + mirror});
      speed = std::max(speed, thing.path.speed());
    }
    const auto frames = static_cast<std::int64_t>(std::ceil(speed)) + 1;
    frames_ = speed < 0.05 ? 1 : std::clamp<std::int64_t>(frames, 3, kMostFrames);
  }

  /// Frames that are averaged: as many as it takes for no pixel to step more than one, at most 128.
  std::int64_t frames() const { return frames_; }

  /// Pixels around a part of the picture that are needed to make it.
  std::int64_t margin() const {
    return frames_ == 1 ? 0 : static_cast<std::int64_t>(std::ceil(reach_)) + 3;
  }

  /// When the i-th frame is seen, -0.5 to 0.5.
  double time_of(std::int64_t i) const {
    return (static_cast<double>(i) + 0.5) / static_cast<double>(frames_) - 0.5;
  }

  /// Light of what is stored as white.
  float highlights() const { return highlights_; }

  const PosePath& camera() const { return camera_; }
  const std::vector<detail::MovingThing>& things() const { return things_; }

  /// @param pixels  (3, h, w) float in [0, 1]: what `window` shows of the sharp picture
  /// @return        same shape; pixels within `margin` of a border of the window that is none of
  ///                the picture are left as they are
  at::Tensor seen(const at::Tensor& pixels, const Window& window) const {
    auto result = pixels.clone();
    if (frames_ == 1) return result;
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

 private:
  static constexpr std::int64_t kMostFrames = 128;
  static constexpr std::int64_t kTile = 384;  // of a large picture, so that memory stays small

  /// A thing in front and how it stands in each frame.
  struct Layer {
    detail::LightPicture light;
    std::vector<PoseWarp> warps;
    double reach;
  };

  Window complete_part(const Window& window) const {
    const auto inside = [&](std::int64_t from, std::int64_t to, std::int64_t most) {
      if (from > 0) from += margin();
      if (to < most) to -= margin();
      return std::pair{from, std::max(from, to)};
    };
    const auto [top, bottom] = inside(window.top, window.bottom(), height_);
    const auto [left, right] = inside(window.left, window.right(), width_);
    return {top, left, bottom - top, right - left};
  }

  std::vector<PoseWarp> warps_of(const PosePath& path) const {
    std::vector<PoseWarp> warps;
    for (std::int64_t i = 0; i < frames_; ++i) warps.push_back(path.warp(time_of(i)));
    return warps;
  }

  void see(const float* stored, const Window& window, const Window& tile, float* result) const {
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
    std::vector<detail::Light> frame(static_cast<std::size_t>(tile.width));
    std::vector<detail::Light> sum(frame.size());
    for (auto y = tile.top; y < tile.bottom(); ++y) {
      std::fill(sum.begin(), sum.end(), detail::Light{});
      for (std::size_t f = 0; f < warps.size(); ++f) {
        see_row(background, warps[f], tile.left, y, frame);
        for (const auto& layer : layers) cover_row(layer, layer.warps[f], tile.left, y, frame);
        for (std::size_t x = 0; x < frame.size(); ++x) {
          for (int c = 0; c < 4; ++c) sum[x].part[c] += frame[x].part[c];
        }
      }
      store(sum, window, tile.left, y, result);
    }
  }

  static void see_row(const detail::LightPicture& background, const PoseWarp& warp,
                      std::int64_t left, std::int64_t y, std::vector<detail::Light>& frame) {
    for (std::size_t x = 0; x < frame.size(); ++x) {
      frame[x] = background.sample(
          warp(static_cast<float>(left + static_cast<std::int64_t>(x)), static_cast<float>(y)));
    }
  }

  static void cover_row(const Layer& layer, const PoseWarp& warp, std::int64_t left, std::int64_t y,
                        std::vector<detail::Light>& frame) {
    const auto reach = static_cast<std::int64_t>(std::ceil(layer.reach)) + 2;
    const auto& box = layer.light.window();
    if (y < box.top - reach || y >= box.bottom() + reach) return;
    const auto right = left + static_cast<std::int64_t>(frame.size());
    const auto to = std::min(box.right() + reach, right);
    for (auto x = std::max(box.left - reach, left); x < to; ++x) {
      const auto seen = layer.light.sample(warp(static_cast<float>(x), static_cast<float>(y)));
      auto& behind = frame[static_cast<std::size_t>(x - left)];
      const auto cover = seen.part[3];
      for (int c = 0; c < 4; ++c) behind.part[c] += cover * (seen.part[c] - behind.part[c]);
    }
  }

  void store(const std::vector<detail::Light>& sum, const Window& window, std::int64_t left,
             std::int64_t y, float* result) const {
    const auto plane = window.height * window.width;
    auto* out = result + (y - window.top) * window.width + left - window.left;
    const auto share = 1.0f / static_cast<float>(frames_);
    for (std::size_t x = 0; x < sum.size(); ++x) {
      for (int c = 0; c < 3; ++c) {
        out[c * plane + static_cast<std::int64_t>(x)] = curve_.stored(share * sum[x].part[c]);
      }
    }
  }

  std::int64_t height_;
  std::int64_t width_;
  PosePath camera_;
  std::vector<detail::MovingThing> things_;
  LightCurve curve_;
  float highlights_;
  double reach_ = 0;
  std::int64_t frames_ = 1;
};

}  // namespace limpid
