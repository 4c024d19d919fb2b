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
#include <ATen/ops/ones_like.h>

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

/// Rain that falls through the scene: streaks of near and far drops, and the veil of those too far
/// to be told apart.
///
/// I = t (J + S (1 - J)) + (1 - t) A, with J the photograph, S the sum of all streaks (at most 1),
/// t = exp(-beta d) the veil's transmission and A its light: a drop shows the bright sky and covers
/// what is behind it for a part of the exposure. With `screen` off the streaks are added, J + S. A
/// streak has a bell-shaped profile across, and fades towards its ends.
///
/// Source: Li, Cheong and Tan, "Heavy Rain Image Restoration" (Outdoor-Rain), CVPR 2019, eq. 2
/// (streaks, then veil); Yang et al., "Deep Joint Rain Detection and Removal" (Rain100L, Rain100H),
/// CVPR 2017 (streaks added to stored values, heavy rain in several layers and directions); Garg
/// and Nayar, "Vision and Rain", IJCV 2007 (why streaks are brighter than what is behind them).
/// Differs: streaks are drawn one by one in place of a filtered noise; the depth is a synthetic
/// one.
struct RainStreaks {
  Interval density{1, 10};         ///< streaks per 1000 pixels
  Interval angle{-35, 35};         ///< of the fall from the vertical, degrees; right is positive
  double spread = 2.5;             ///< deviation of a streak from it, degrees
  Interval length{14, 60};         ///< of a near streak, pixels
  Interval width{1, 3};            ///< of a near streak at half its brightness, pixels
  Interval brightness{0.3, 0.85};  ///< of a near streak: the part of the exposure that it covers
  std::int64_t layers = 3;         ///< distances; the farthest is `farthest` times as large
  double farthest = 0.35;          ///< small streaks are more frequent than large ones
  Interval veil{0, 0.8};           ///< its thickness beta
  Interval airlight{0.6, 0.9};     ///< grey level of the veil
  bool screen = true;              ///< no: streaks are added
  double gamma = 1;                ///< 2.2 adds light, 1 stored values as published sets do
  SyntheticDepth synthetic{};      ///< depth of the veil

  static void each_option(auto& self, auto&& visit) {
    visit("density", self.density, "streaks per 1000 pixels");
    visit("angle", self.angle, "of the fall from the vertical, degrees");
    visit("spread", self.spread, "deviation of a streak from it, degrees");
    visit("length", self.length, "of a near streak, pixels");
    visit("width", self.width, "of a near streak, pixels");
    visit("brightness", self.brightness, "of a near streak, 0 to 1");
    visit("layers", self.layers, "distances at which it rains");
    visit("farthest", self.farthest, "size of a far streak as a part of a near one's");
    visit("veil", self.veil, "its thickness; exp(-veil) of the farthest point's light arrives");
    visit("airlight", self.airlight, "grey level of the veil, 0 to 1");
    visit("screen", self.screen, "whether streaks cover what is behind them; no: added");
    visit("gamma", self.gamma, "2.2 adds light, 1 stored values");
    SyntheticDepth::each_option(self.synthetic, visit);
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// What one call does to a photograph.
  struct Drawn {
    std::vector<detail::Stroke> streaks;
    detail::Veil veil;
    float airlight = 0;
    bool screen = true;
    float gamma = 1;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;

    /// S: the sum of the streaks, at most 1, for each pixel of a window.
    std::vector<float> layer(const Window& window) const;
  };

  Drawn drawn_for(std::int64_t height, std::int64_t columns, Random& random) const;

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
  // (1 - kBell d^2)^3 is 1/2 at d = 1 and 0 from d = kReach on, radii from the middle.
  static constexpr float kBell = 0.2062995f;
  static constexpr float kReach = 2.2016702f;

  /// `Drawn::layer` of each picture, (N, H, W).
  static at::Tensor layers_of(const std::vector<std::vector<detail::Stroke>>& streaks,
                              std::int64_t height, std::int64_t columns, c10::Device device);

  /// @param veil_of  veil_of(beta): draws the veil, between the rest.
  template <class VeilOf>
  Drawn drawn_with(std::int64_t height, std::int64_t picture_width, Random& random,
                   VeilOf veil_of) const {
    check();
    Drawn drawn;
    drawn.screen = screen;
    drawn.gamma = static_cast<float>(gamma);
    const auto per_pixel = density.draw(random) / 1000;
    const auto direction = angle.draw(random);
    const auto longest = length.draw(random);
    const auto widest = width.draw(random);
    const auto brightest = brightness.draw(random);
    drawn.airlight = static_cast<float>(airlight.draw(random));
    drawn.veil = veil_of(static_cast<float>(veil.draw(random)));
    auto weights = 0.0;
    for (std::int64_t k = 0; k < layers; ++k) weights += 1 / size_of(k);
    for (std::int64_t k = layers - 1; k >= 0; --k) {
      const auto size = size_of(k);
      // Streaks that begin outside of the picture reach into it.
      const auto margin = 0.65 * longest * size;
      const auto rows = static_cast<double>(height) + 2 * margin;
      const auto columns = static_cast<double>(picture_width) + 2 * margin;
      const auto wanted = per_pixel * rows * columns / (size * weights) + random.uniform();
      for (auto n = static_cast<std::int64_t>(wanted); n > 0; --n) {
        const auto turn = (direction + spread * random.normal()) * std::numbers::pi / 180;
        const auto half = std::max(1.0, 0.5 * longest * size * random.uniform(0.7, 1.3));
        drawn.streaks.push_back({.y = static_cast<float>(random.uniform(-margin, rows - margin)),
                                 .x = static_cast<float>(random.uniform(-margin, columns - margin)),
                                 .dy = static_cast<float>(half * std::cos(turn)),
                                 .dx = static_cast<float>(half * std::sin(turn)),
                                 .radius = static_cast<float>(std::max(
                                     0.35, 0.5 * widest * size * random.uniform(0.7, 1.3))),
                                 .strength = static_cast<float>(brightest * (0.4 + 0.6 * size) *
                                                                random.uniform(0.4, 1))});
      }
    }
    return drawn;
  }

  /// Of the streaks of a layer, as a part of the nearest ones': 1, ..., `farthest`.
  double size_of(std::int64_t layer) const;
};

static_assert(DegradationWithOptions<RainStreaks> && PartwiseDegradation<RainStreaks>);
static_assert(PlacedBatchDegradation<RainStreaks>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void RainStreaks::check() const {
  detail::check_within("RainStreaks: density", density, {0, 100});
  detail::check_within("RainStreaks: angle", angle, {-80, 80});
  detail::check_not_negative("RainStreaks: spread", spread);
  detail::check_positive("RainStreaks: length", length);
  detail::check_within("RainStreaks: length", length, {0, 4096});
  detail::check_positive("RainStreaks: width", width);
  detail::check_within("RainStreaks: width", width, {0, 256});
  detail::check_within("RainStreaks: brightness", brightness, {0, 1});
  detail::check_at_least("RainStreaks: layers", layers, 1);
  detail::check_positive("RainStreaks: farthest", farthest);
  detail::check_within("RainStreaks: farthest", farthest, {0, 1});
  detail::check_not_negative("RainStreaks: veil", veil);
  detail::check_within("RainStreaks: airlight", airlight, {0, 1});
  detail::check_positive("RainStreaks: gamma", gamma);
  synthetic.check();
}

LIMPID_INLINE at::Tensor RainStreaks::Drawn::operator()(const at::Tensor& pixels,
                                                        const Window& window) const {
  const auto clean = detail::photograph("RainStreaks", pixels);
  const auto count = window.height * window.width;
  const auto light = layer(window);
  const auto arrives = veil.transmission(window);
  auto rainy = detail::empty_like_photograph(clean);
  const auto* in = clean.data_ptr<float>();
  auto* out = rainy.data_ptr<float>();
  for (std::int64_t c = 0; c < 3; ++c, in += count, out += count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      auto value = gamma == 1.0f ? in[i] : std::pow(std::max(in[i], 0.0f), gamma);
      value += light[at] * (screen ? 1.0f - value : 1.0f);
      if (!arrives.empty()) value = arrives[at] * value + (1.0f - arrives[at]) * airlight;
      value = std::clamp(value, 0.0f, 1.0f);
      out[i] = gamma == 1.0f ? value : std::pow(value, 1.0f / gamma);
    }
  }
  return rainy;
}

LIMPID_INLINE std::vector<float> RainStreaks::Drawn::layer(const Window& window) const {
  std::vector<float> light(static_cast<std::size_t>(window.height * window.width), 0.0f);
  for (const auto& streak : streaks) {
    const auto half = streak.half_way();
    const auto sharpness = kBell / (streak.radius * streak.radius);
    detail::each_pixel_near(streak, kReach * streak.radius, window,
                            [&](std::int64_t i, float along, float across) {
                              const auto part = along / half;
                              const auto fade = 1.0f - part * part * part * part;
                              const auto bell = 1.0f - sharpness * across * across;
                              if (fade <= 0.0f || bell <= 0.0f) return;
                              auto& sum = light[static_cast<std::size_t>(i)];
                              sum += streak.strength * fade * bell * bell * bell;
                              sum = std::min(sum, 1.0f);
                            });
  }
  return light;
}

LIMPID_INLINE RainStreaks::Drawn RainStreaks::drawn_for(std::int64_t height, std::int64_t columns,
                                                        Random& random) const {
  return drawn_with(height, columns, random, [&](float beta) {
    return detail::Veil::drawn(beta, synthetic, height, columns, random);
  });
}

LIMPID_INLINE at::Tensor RainStreaks::operator()(const at::Tensor& image, Random& random) const {
  const auto clean = detail::photograph("RainStreaks", image);
  const auto height = clean.size(1);
  const auto columns = clean.size(2);
  return drawn_for(height, columns, random)(clean, Window::whole(height, columns));
}

LIMPID_INLINE at::Tensor RainStreaks::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("RainStreaks", images);
  return batch(clean, detail::whole_places(clean), random);
}

LIMPID_INLINE at::Tensor RainStreaks::batch(const at::Tensor& images,
                                            std::span<const CropPlace> places,
                                            Random& random) const {
  const auto clean = detail::photographs("RainStreaks", images);
  detail::check_places("RainStreaks", clean, places);
  std::vector<std::vector<detail::Stroke>> streaks;
  std::vector<float> airlights;
  detail::VeilBatch veils{synthetic};
  for (const auto& place : places) {
    auto drawn = drawn_with(clean.size(2), clean.size(3), random, [&](float beta) {
      veils.add(beta, place, random);
      return detail::Veil{};
    });
    streaks.push_back(std::move(drawn.streaks));
    airlights.push_back(drawn.airlight);
  }
  const auto light = layers_of(streaks, clean.size(2), clean.size(3), clean.device());
  auto lit = gamma == 1 ? clean : clean.clamp_min(0).pow(gamma);
  lit = lit + light.unsqueeze(1) * (screen ? 1 - lit : at::ones_like(lit));
  const auto rainy = veils.before(lit, places, for_each_picture(clean, airlights)).clamp_(0, 1);
  return gamma == 1 ? rainy : rainy.pow(1 / gamma);
}

LIMPID_INLINE at::Tensor RainStreaks::layers_of(
    const std::vector<std::vector<detail::Stroke>>& streaks, std::int64_t height,
    std::int64_t columns, c10::Device device) {
  return detail::stroke_sums(
             streaks, height, columns, device,
             [](const detail::Stroke& streak) { return kReach * streak.radius; },
             [](const detail::Stroke& streak) {
               return std::vector<float>{1 / streak.half_way(),
                                         kBell / (streak.radius * streak.radius), streak.strength};
             },
             [](const detail::StrokeColumns& number, const at::Tensor& along,
                const at::Tensor& across) {
               const auto fade = (1 - (along * number[0]).pow(4)).clamp_min_(0);
               const auto bell = (1 - across.square() * number[1]).clamp_min_(0).pow(3);
               return number[2] * fade * bell;
             })
      .clamp_max(1);
}

LIMPID_INLINE double RainStreaks::size_of(std::int64_t layer) const {
  if (layers == 1) return 1;
  return std::pow(farthest, static_cast<double>(layer) / static_cast<double>(layers - 1));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
