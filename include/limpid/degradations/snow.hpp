#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/strokes.hpp>
#include <limpid/degradations/synthetic_depth.hpp>
#include <limpid/degradations/veil.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/stroke_batch.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// Snow that falls through the scene: flakes of many sizes, moved while the shutter is open, and
/// the veil of those too far to be told apart.
///
/// I = z C + (1 - z) (t J + (1 - t) A), with J the photograph, t = exp(-beta d) the veil's
/// transmission, A its light, z = 1 - (1 - z_1) (1 - z_2) ... what the flakes hide and C their
/// white. A flake that moves by L hides what is behind it for a part 2 r / (2 r + L) of the time.
/// Outlines are wavy, with a soft edge: the larger a flake, the nearer and the more out of focus.
///
/// Source: Liu et al., "DesnowNet: Context-Aware Deep Network for Snow Removal" (Snow100K), IEEE
/// TIP 2018, eq. 1 (translucent flakes of small, medium and large sizes that move); Chen et al.,
/// "JSTASR", ECCV 2020 (the veil). Differs: flakes are drawn one by one, their sizes follow r^-2 in
/// place of three classes; the depth of the veil is a synthetic one.
struct Snow {
  Interval density{1.5, 10};     ///< flakes per 1000 pixels
  Interval radius{0.6, 7};       ///< of flakes, pixels; small ones are more frequent
  Interval angle{-40, 40};       ///< of the fall from the vertical, degrees; right is positive
  double spread = 12;            ///< deviation of a flake from it, degrees: snow whirls
  Interval way{0, 14};           ///< of the largest flake during the exposure, pixels
  Interval opacity{0.55, 1};     ///< of a flake that stands still
  Interval edge{0.4, 1};         ///< width of the soft edge, as a part of the radius
  double irregularity = 0.5;     ///< 0: discs; 1: odd shapes
  Interval white{0.85, 1};       ///< grey level of the flakes
  Interval veil{0, 0.8};         ///< its thickness beta
  Interval airlight{0.7, 0.95};  ///< grey level of the veil
  SyntheticDepth synthetic{};    ///< depth of the veil

  static void each_option(auto& self, auto&& visit) {
    visit("density", self.density, "flakes per 1000 pixels");
    visit("radius", self.radius, "of flakes, pixels");
    visit("angle", self.angle, "of the fall from the vertical, degrees");
    visit("spread", self.spread, "deviation of a flake from it, degrees");
    visit("way", self.way, "of the largest flake during the exposure, pixels");
    visit("opacity", self.opacity, "of a flake that stands still, 0 to 1");
    visit("edge", self.edge, "width of the soft edge, as a part of the radius");
    visit("irregularity", self.irregularity, "0: discs; 1: odd shapes");
    visit("white", self.white, "grey level of the flakes, 0 to 1");
    visit("veil", self.veil, "its thickness; exp(-veil) of the farthest point's light arrives");
    visit("airlight", self.airlight, "grey level of the veil, 0 to 1");
    SyntheticDepth::each_option(self.synthetic, visit);
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// A flake: what it hides falls off from its middle line to its wavy outline.
  struct Flake : detail::Stroke {
    float edge = 1;
    float two_y = 0, two_x = 0, three_y = 0, three_x = 0;  ///< waves of its outline

    /// Beyond it nothing is hidden.
    float reach() const { return 2.0f * radius * (1.0f + 0.5f * edge); }

    /// How much of the scene it hides at a place along and across its way.
    float at(float along, float across) const;
  };

  /// What one call does to a photograph.
  struct Drawn {
    std::vector<Flake> flakes;
    detail::Veil veil;
    float airlight = 0;
    float white = 1;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;

    /// 1 - z, for each pixel of a window.
    std::vector<float> not_hidden(const Window& window) const;
  };

  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// As a `PlacedBatchDegradation`: the veil is that of the whole photographs.
  at::Tensor batch(const at::Tensor& images, std::span<const CropPlace> places,
                   Random& random) const;

 private:
  /// `Drawn::not_hidden` of each picture, (N, 1, H, W).
  static at::Tensor passed_by(const std::vector<std::vector<Flake>>& flakes, std::int64_t height,
                              std::int64_t width, c10::Device device);

  /// @param veil_of  veil_of(beta): draws the veil, between the rest.
  template <class VeilOf>
  Drawn drawn_with(std::int64_t height, std::int64_t width, Random& random, VeilOf veil_of) const {
    check();
    Drawn drawn;
    const auto per_pixel = density.draw(random) / 1000;
    const auto direction = angle.draw(random);
    const auto longest = way.draw(random);
    const auto opaque = opacity.draw(random);
    const auto soft = edge.draw(random);
    drawn.white = static_cast<float>(white.draw(random));
    drawn.airlight = static_cast<float>(airlight.draw(random));
    drawn.veil = veil_of(static_cast<float>(veil.draw(random)));
    const auto margin = radius.high() + 0.5 * longest;
    const auto rows = static_cast<double>(height) + 2 * margin;
    const auto columns = static_cast<double>(width) + 2 * margin;
    const auto count = static_cast<std::int64_t>(per_pixel * rows * columns + random.uniform());
    drawn.flakes.reserve(static_cast<std::size_t>(count));
    for (std::int64_t n = 0; n < count; ++n) {
      const auto u = random.uniform();
      const auto across = 1 / ((1 - u) / radius.low() + u / radius.high());
      const auto near = across / radius.high();
      const auto moved = longest * near * random.uniform(0.6, 1.2);
      const auto turn = (direction + spread * random.normal()) * std::numbers::pi / 180;
      Flake flake;
      flake.y = static_cast<float>(random.uniform(-margin, rows - margin));
      flake.x = static_cast<float>(random.uniform(-margin, columns - margin));
      flake.dy = static_cast<float>(0.5 * moved * std::cos(turn));
      flake.dx = static_cast<float>(0.5 * moved * std::sin(turn));
      flake.radius = static_cast<float>(across);
      flake.strength =
          static_cast<float>(opaque * random.uniform(0.5, 1) * 2 * across / (2 * across + moved));
      flake.edge = static_cast<float>(std::clamp(soft * (0.7 + 0.6 * near), 0.05, 1.5));
      const auto wavy = 0.45 * irregularity;
      for (auto* wave : {&flake.two_y, &flake.two_x, &flake.three_y, &flake.three_x}) {
        *wave = static_cast<float>(0.5 * wavy * random.uniform(-1, 1));
      }
      drawn.flakes.push_back(flake);
    }
    return drawn;
  }
};

static_assert(DegradationWithOptions<Snow> && PartwiseDegradation<Snow>);
static_assert(PlacedBatchDegradation<Snow>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Snow::check() const {
  detail::check_within("Snow: density", density, {0, 100});
  detail::check_positive("Snow: radius", radius);
  detail::check_within("Snow: radius", radius, {0, 1024});
  detail::check_within("Snow: angle", angle, {-180, 180});
  detail::check_not_negative("Snow: spread", spread);
  detail::check_within("Snow: way", way, {0, 4096});
  detail::check_within("Snow: opacity", opacity, {0, 1});
  detail::check_positive("Snow: edge", edge);
  detail::check_within("Snow: edge", edge, {0, 1});
  detail::check_within("Snow: irregularity", irregularity, {0, 1});
  detail::check_within("Snow: white", white, {0, 1});
  detail::check_not_negative("Snow: veil", veil);
  detail::check_within("Snow: airlight", airlight, {0, 1});
  synthetic.check();
}

LIMPID_INLINE float Snow::Flake::at(float along, float across) const {
  const auto half = half_way();
  const auto from = std::abs(along) - half;
  const auto beyond = std::max(from, 0.0f);
  const auto distance = std::sqrt(beyond * beyond + across * across);
  const auto u = distance > 0 ? std::copysign(beyond, along) / distance : 0.0f;
  const auto v = distance > 0 ? across / distance : 0.0f;
  const auto wave = two_x * (u * u - v * v) + two_y * 2 * u * v +
                    three_x * u * (u * u - 3 * v * v) + three_y * v * (3 * u * u - v * v);
  const auto depth = 1.0f - distance / (radius * (1.0f + wave));
  return strength * detail::smooth_step(depth / edge + 0.5f);
}

LIMPID_INLINE at::Tensor Snow::Drawn::operator()(const at::Tensor& pixels,
                                                 const Window& window) const {
  const auto clean = detail::photograph("Snow", pixels);
  const auto count = window.height * window.width;
  const auto passed = not_hidden(window);
  const auto arrives = veil.transmission(window);
  auto snowy = detail::empty_like_photograph(clean);
  const auto* in = clean.data_ptr<float>();
  auto* out = snowy.data_ptr<float>();
  for (std::int64_t c = 0; c < 3; ++c, in += count, out += count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      auto value = in[i];
      if (!arrives.empty()) value = arrives[at] * value + (1.0f - arrives[at]) * airlight;
      value = passed[at] * value + (1.0f - passed[at]) * white;
      out[i] = std::clamp(value, 0.0f, 1.0f);
    }
  }
  return snowy;
}

LIMPID_INLINE std::vector<float> Snow::Drawn::not_hidden(const Window& window) const {
  std::vector<float> passed(static_cast<std::size_t>(window.height * window.width), 1.0f);
  for (const auto& flake : flakes) {
    detail::each_pixel_near(flake, flake.reach(), window,
                            [&](std::int64_t i, float along, float across) {
                              passed[static_cast<std::size_t>(i)] *= 1.0f - flake.at(along, across);
                            });
  }
  return passed;
}

LIMPID_INLINE Snow::Drawn Snow::drawn_for(std::int64_t height, std::int64_t width,
                                          Random& random) const {
  return drawn_with(height, width, random, [&](float beta) {
    return detail::Veil::drawn(beta, synthetic, height, width, random);
  });
}

LIMPID_INLINE at::Tensor Snow::operator()(const at::Tensor& image, Random& random) const {
  const auto clean = detail::photograph("Snow", image);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  return drawn_for(height, width, random)(clean, Window::whole(height, width));
}

LIMPID_INLINE at::Tensor Snow::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("Snow", images);
  return batch(clean, detail::whole_places(clean), random);
}

LIMPID_INLINE at::Tensor Snow::batch(const at::Tensor& images, std::span<const CropPlace> places,
                                     Random& random) const {
  const auto clean = detail::photographs("Snow", images);
  detail::check_places("Snow", clean, places);
  std::vector<std::vector<Flake>> flakes;
  std::vector<float> airlights, whites;
  detail::VeilBatch veils{synthetic};
  for (const auto& place : places) {
    auto drawn = drawn_with(clean.size(2), clean.size(3), random, [&](float beta) {
      veils.add(beta, place, random);
      return detail::Veil{};
    });
    flakes.push_back(std::move(drawn.flakes));
    airlights.push_back(drawn.airlight);
    whites.push_back(drawn.white);
  }
  const auto passed = passed_by(flakes, clean.size(2), clean.size(3), clean.device());
  const auto seen = veils.before(clean, places, for_each_picture(clean, airlights));
  return (passed * seen + (1 - passed) * for_each_picture(clean, whites)).clamp_(0, 1);
}

LIMPID_INLINE at::Tensor Snow::passed_by(const std::vector<std::vector<Flake>>& flakes,
                                         std::int64_t height, std::int64_t width,
                                         c10::Device device) {
  const auto numbers = [](const Flake& flake) {
    return std::vector<float>{flake.half_way(), flake.radius, flake.strength, flake.edge,
                              flake.two_y,      flake.two_x,  flake.three_y,  flake.three_x};
  };
  const auto log_of_passed = [](const detail::StrokeColumns& number, const at::Tensor& along,
                                const at::Tensor& across) {
    const auto beyond = (along.abs() - number[0]).clamp_min_(0);
    const auto distance = (beyond.square() + across.square()).sqrt();
    const auto unit = at::where(distance > 0, 1 / distance, distance);
    const auto u = at::where(along < 0, -beyond, beyond) * unit;
    const auto v = across * unit;
    const auto wave = number[5] * (u * u - v * v) + number[4] * 2 * u * v +
                      number[7] * u * (u * u - 3 * v * v) + number[6] * v * (3 * u * u - v * v);
    const auto depth = 1 - distance / (number[1] * (1 + wave));
    const auto step = (depth / number[3] + 0.5).clamp_(0, 1);
    return (-number[2] * step * step * (3 - 2 * step)).log1p();
  };
  return detail::stroke_sums(
             flakes, height, width, device, [](const Flake& flake) { return flake.reach(); },
             numbers, log_of_passed)
      .exp()
      .unsqueeze(1);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
