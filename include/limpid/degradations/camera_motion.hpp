#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/light_curve.hpp>
#include <limpid/degradations/light_picture.hpp>
#include <limpid/degradations/moving_thing.hpp>
#include <limpid/degradations/noise.hpp>
#include <limpid/degradations/planes.hpp>
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
    for (std::int64_t i = 0; i < frames_; ++i) {
      warps.push_back(
          path.warp((static_cast<double>(i) + 0.5) / static_cast<double>(frames_) - 0.5));
    }
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

/// Motion as cameras make it: the camera shifts, rolls, zooms and tilts about a point that need not
/// lie in the picture, things move by themselves in front, and what arrives while the shutter is
/// open is summed as light. Some pictures are not blurred at all. The blurred picture is not
/// shifted against the sharp one: the mean pose along every path is none.
///
/// Source: frames averaged as a camera sums light: Nah, Kim and Lee, CVPR 2017; saturated
/// highlights, the curve of the camera and noise after it, frames dense enough that nothing steps:
/// Rim et al., "Realistic Blur Synthesis for Learning Image Deblurring", ECCV 2022; things that
/// blur apart from the background: Wei et al., "Rethinking Blur Synthesis for Deep Real-World Image
/// Deblurring", arXiv 2209.13866; the camera's poses as homographies: Whyte et al., "Non-uniform
/// Deblurring for Shaken Images", IJCV 2012. Paths and outlines are ours.
/// Differs: one photograph is moved in place of a video's frames, so what a thing hides is made up:
/// its surroundings, mirrored at its outline.
struct CameraMotion {
  Interval size{0, 30};         ///< way of the fastest pixel, longer side of its box, pixels
  PosePathOptions pose{};       ///< what the way is made of
  double still = 0.1;           ///< share of pictures that are not blurred
  Interval things{0, 3};        ///< how many move by themselves, their own way of `size`
  Interval radius{0.08, 0.35};  ///< of a thing, against the picture's shorter side
  double gamma = 2.2;           ///< light = stored ^ gamma; 1: stored values are averaged
  Interval highlights{1, 3};    ///< light of what is stored as white; 1: just white
  Interval noise{0, 2};         ///< Gaussian, of the stored values, levels of 8 bits

  static void each_option(auto& self, auto&& visit) {
    visit("size", self.size, "way of the fastest pixel while the shutter is open, pixels");
    visit("shift", self.pose.shift, "weight of shifts in the camera's way");
    visit("roll", self.pose.roll, "weight of turns in the picture's plane");
    visit("zoom", self.pose.zoom, "weight of coming nearer or going away");
    visit("tilt", self.pose.tilt, "weight of tilts, the far side moving less");
    visit("bend", self.pose.bend, "0: straight at an even speed; 1: there and back, and loops");
    visit("centre", self.pose.centre,
          "of rolls, zooms and tilts, a part of the width and of the height");
    visit("still", self.still, "share of pictures that are not blurred");
    visit("things", self.things, "how many things move by themselves");
    visit("radius", self.radius, "of a thing, a part of the picture's shorter side");
    visit("gamma", self.gamma, "2.2 averages light, 1 stored values");
    visit("highlights", self.highlights, "light of what is stored as white; 1: just white");
    visit("noise", self.noise, "standard deviation, in levels of 8 bits");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const {
    detail::check_not_negative("CameraMotion: size", size);
    detail::check_within("CameraMotion: size", size, {0, 512});
    pose.check();
    detail::check_within("CameraMotion: still", still, {0, 1});
    detail::check_within("CameraMotion: things", things, {0, 32});
    detail::check_positive("CameraMotion: radius", radius);
    detail::check_within("CameraMotion: radius", radius, {0, 2});
    detail::check_positive("CameraMotion: gamma", gamma);
    detail::check_within("CameraMotion: highlights", highlights, {1, 100});
    detail::check_not_negative("CameraMotion: noise", noise);
  }

  /// What one call does to a photograph.
  struct Drawn {
    MovingScene scene;
    Noise::Drawn noise;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const {
      const auto blurred = scene.seen(detail::photograph("CameraMotion", pixels), window);
      return noise.sigma > 0 ? noise(blurred, window) : blurred;
    }
  };

  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const {
    auto scene = scene_for(height, width, random);
    auto added = Noise{.sigma = noise}.drawn_for(height, width, random);
    const auto margin = scene.margin();
    return {std::move(scene), added, margin};
  }

  /// How the camera and the things move before a picture of that size.
  /// @throws c10::ValueError for an option out of range.
  MovingScene scene_for(std::int64_t height, std::int64_t width, Random& random) const {
    check();
    const auto part = random.chance(still) ? 0.0 : 1.0;
    const PicturePoint first{0, 0};
    const PicturePoint last{static_cast<float>(width - 1), static_cast<float>(height - 1)};
    PosePath camera{first, last, part * size.draw(random), pose, random};
    const auto fewest = std::llround(std::ceil(things.low()));
    const auto most = std::llround(std::floor(things.high()));
    const auto count = fewest + random.below(std::max(0LL, most - fewest) + 1);
    const auto shorter = static_cast<double>(std::min(height, width));
    std::vector<detail::MovingThing> moving;
    for (std::int64_t i = 0; i < count; ++i) {
      const PicturePoint centre{static_cast<float>(random.uniform(0, last.x)),
                                static_cast<float>(random.uniform(0, last.y))};
      const auto size_of_thing = shorter * radius.draw(random);
      const detail::ThingOutline outline{centre, size_of_thing, random.uniform(0.5, 2.5), random};
      const auto box = outline.box();
      PosePath path{{static_cast<float>(box.left), static_cast<float>(box.top)},
                    {static_cast<float>(box.right()), static_cast<float>(box.bottom())},
                    part * size.draw(random),
                    pose,
                    random};
      if (part > 0) moving.push_back({outline, std::move(path)});
    }
    return {height, width, std::move(camera), std::move(moving), gamma, highlights.draw(random)};
  }

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const {
    const auto sharp = detail::photograph("CameraMotion", image);
    const auto height = sharp.size(1);
    const auto width = sharp.size(2);
    return drawn_for(height, width, random)(sharp, Window::whole(height, width));
  }
};

static_assert(DegradationWithOptions<CameraMotion> && PartwiseDegradation<CameraMotion>);

}  // namespace limpid
