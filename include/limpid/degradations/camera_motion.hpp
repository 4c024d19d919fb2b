#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/moving_scene.hpp>
#include <limpid/degradations/moving_thing.hpp>
#include <limpid/degradations/noise.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/pose_path.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/random_tensor.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/light_batch.hpp>
#include <limpid/degradations/moving_scene_batch.hpp>

#include <algorithm>
#include <cmath>
#endif

namespace limpid {

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
  Interval gamma = 2.2;         ///< light = stored ^ gamma; 1: stored values are averaged
  Interval highlights{1, 3};    ///< light of what is stored as white; 1: just white
  double overexposed = 0.5;     ///< share of pictures that have such highlights at all
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
    visit("overexposed", self.overexposed, "share of pictures that have such highlights at all");
    visit("noise", self.noise, "standard deviation, in levels of 8 bits");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// What one call does to a photograph.
  struct Drawn {
    MovingScene scene;
    Noise::Drawn noise;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;
  };

  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// How the camera and the things move before a picture of that size.
  /// @throws c10::ValueError for an option out of range.
  MovingScene scene_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// As a `PlacedBatchDegradation`: cameras and things move before the whole photographs. Noise is
  /// drawn for the crops.
  at::Tensor batch(const at::Tensor& images, std::span<const CropPlace> places,
                   Random& random) const;

  /// As far as anything moves. What a thing uncovers close to the border of a crop may be made of
  /// what the crop holds, where the whole photograph has more.
  std::int64_t batch_margin() const;
};

static_assert(DegradationWithOptions<CameraMotion> && PartwiseDegradation<CameraMotion>);
static_assert(PlacedBatchDegradation<CameraMotion>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void CameraMotion::check() const {
  detail::check_not_negative("CameraMotion: size", size);
  detail::check_within("CameraMotion: size", size, {0, 512});
  pose.check();
  detail::check_within("CameraMotion: still", still, {0, 1});
  detail::check_within("CameraMotion: things", things, {0, 32});
  detail::check_positive("CameraMotion: radius", radius);
  detail::check_within("CameraMotion: radius", radius, {0, 2});
  detail::check_positive("CameraMotion: gamma", gamma);
  detail::check_within("CameraMotion: highlights", highlights, {1, 100});
  detail::check_within("CameraMotion: overexposed", overexposed, {0, 1});
  detail::check_not_negative("CameraMotion: noise", noise);
}

LIMPID_INLINE at::Tensor CameraMotion::Drawn::operator()(const at::Tensor& pixels,
                                                         const Window& window) const {
  const auto blurred = scene.seen(detail::photograph("CameraMotion", pixels), window);
  return noise.sigma > 0 ? noise(blurred, window) : blurred;
}

LIMPID_INLINE CameraMotion::Drawn CameraMotion::drawn_for(std::int64_t height, std::int64_t width,
                                                          Random& random) const {
  auto scene = scene_for(height, width, random);
  auto added = Noise{.sigma = noise}.drawn_for(height, width, random);
  const auto margin = scene.margin();
  return {std::move(scene), added, margin};
}

LIMPID_INLINE MovingScene CameraMotion::scene_for(std::int64_t height, std::int64_t width,
                                                  Random& random) const {
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
  const auto curve = gamma.draw(random);
  const auto white = highlights.draw(random);
  return {height,
          width,
          std::move(camera),
          std::move(moving),
          curve,
          random.chance(overexposed) ? white : 1.0};
}

LIMPID_INLINE at::Tensor CameraMotion::operator()(const at::Tensor& image, Random& random) const {
  const auto sharp = detail::photograph("CameraMotion", image);
  const auto height = sharp.size(1);
  const auto width = sharp.size(2);
  return drawn_for(height, width, random)(sharp, Window::whole(height, width));
}

LIMPID_INLINE at::Tensor CameraMotion::batch(const at::Tensor& images, Random& random) const {
  const auto sharp = detail::photographs("CameraMotion", images);
  return batch(sharp, detail::whole_places(sharp), random);
}

LIMPID_INLINE at::Tensor CameraMotion::batch(const at::Tensor& images,
                                             std::span<const CropPlace> places,
                                             Random& random) const {
  const auto sharp = detail::photographs("CameraMotion", images);
  detail::check_places("CameraMotion", sharp, places);
  std::vector<MovingScene> scenes;
  std::vector<float> gammas, whites, sigmas;
  std::vector<Random> streams;
  for (const auto& place : places) {
    scenes.push_back(scene_for(place.height, place.width, random));
    gammas.push_back(static_cast<float>(scenes.back().gamma()));
    whites.push_back(scenes.back().is_still() ? 1.0f : scenes.back().highlights());
    const auto added = Noise{.sigma = noise}.drawn_for(place.height, place.width, random);
    sigmas.push_back(added.sigma);
    streams.push_back(added.stream);
  }
  const auto exponents = for_each_picture(sharp, gammas);
  const auto light = highlighted_light(sharp, exponents, whites);
  const auto blurred = stored_light(MovingSceneBatch{scenes, places}.seen(light), exponents);
  if (noise.high() == 0) return blurred;
  const auto normal = random_normal({sharp.size(2), sharp.size(3), 3}, streams, sharp.options());
  return (blurred + for_each_picture(sharp, sigmas) * normal.permute({0, 3, 1, 2})).clamp_(0, 1);
}

LIMPID_INLINE std::int64_t CameraMotion::batch_margin() const {
  return static_cast<std::int64_t>(std::ceil(size.high())) + 3;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
