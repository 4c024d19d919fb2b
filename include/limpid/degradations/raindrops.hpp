#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/raindrop.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <span>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/degradations/drop_pixels.hpp>

#include <array>
#include <cmath>
#endif

namespace limpid {

/// A photograph seen through drops, and where they are.
struct RaindropView {
  at::Tensor image;  ///< (3, H, W) float in [0, 1]
  at::Tensor mask;   ///< (H, W) float: 0 no drop, 1 nothing but drop
};

/// Drops of water on the lens or the window in front of it, out of focus as they always are.
///
/// Each pixel is I = (1 - M) B + M R, with B the photograph, M a drop's mask and R what is seen
/// through the drop. A drop is a short convex lens: it shows a wide part of the scene upside down
/// and small. At (dy, dx) radii from the drop's middle,
///     R = (1 - w) B_blurred(c - view f(r) (dy, dx)) s + w,   f(r) = 0.6 + 0.4 r^2
/// where c is the drop's middle drawn half way to the picture's, `view` a part of the shorter side,
/// w a veil of scattered light, and s a shading: the foot of a drop gathers light from the sky
/// above the frame, its top shows the ground below it, its rim is a little brighter. Outlines are
/// wavy ellipses melted together; M falls off smoothly over the blur of the lens. Where no drop is,
/// a film of water softens B and spreads a part of its light widely.
///
/// The ranges were widened to what the real pairs of Qian et al. show: docs/degradations.md.
///
/// Source: Qian et al., "Attentive Generative Adversarial Network for Raindrop Removal", CVPR 2018,
/// eq. 1 (the mask and what it adds); Garg and Nayar, "Vision and Rain", IJCV 2007 (a drop shows a
/// wide part of the scene upside down); Roser, Kurz and Geiger, "Realistic Modeling of Water
/// Droplets for Monocular Adherent Raindrop Recognition", ACCV 2010 (irregular outlines); von
/// Bernuth, Volk and Bringmann, "Rendering Physically Correct Raindrops on Windshields", IV 2018
/// (out of focus). Differs: no ray is traced; f stands in for Snell's law, the pyramid for the
/// lens' blur.
struct Raindrops {
  Interval cover{0.35, 0.9};     ///< part of the pixels behind drops; its end is never exceeded
  Interval radius{0.008, 0.08};  ///< of a drop, as a part of sqrt(H W): 4 to 44 pixels at 640 x
                                 ///< 480. Small drops are more frequent than large ones
  Interval edge{0.3, 1.5};       ///< width of the soft edge, as a part of the radius, beyond 1 for
                                 ///< drops that are nothing but edge; one for each photograph, as
                                 ///< the focus is one
  Interval opacity{0.5, 1};      ///< of the middle of a drop
  Interval view{0.2, 0.4};       ///< part of the shorter side that a drop shows from middle to rim
  Interval veil{0.15, 0.55};     ///< scattered light
  Interval soften{0, 0.8};       ///< sharpness lost to the film between drops, one for each
                                 ///< photograph: 1 is that of its half, 2 of its quarter
  Interval film{0, 0.15};        ///< light that the film spreads widely, one for each photograph
  double shading = 0.45;         ///< brighter foot and darker top
  double irregularity = 0.6;     ///< 0: circles; 1: odd shapes
  double reference_side = 0;     ///< pixels that stand for sqrt(H W); 0: the image's own. For crops

  static void each_option(auto& self, auto&& visit) {
    visit("cover", self.cover, "part of the pixels behind drops");
    visit("radius", self.radius, "of a drop, as a part of sqrt(height width)");
    visit("edge", self.edge, "width of the soft edge, as a part of the radius");
    visit("opacity", self.opacity, "of the middle of a drop, 0 to 1");
    visit("view", self.view, "part of the shorter side that a drop shows from middle to rim");
    visit("veil", self.veil, "scattered light, 0 to 1");
    visit("soften", self.soften,
          "sharpness lost to a film of water: 1 is that of the picture's half, 2 of its quarter");
    visit("film", self.film, "part of the light that the film spreads widely, 0 to 1");
    visit("shading", self.shading, "brighter foot and darker top");
    visit("irregularity", self.irregularity, "0: circles; 1: odd shapes");
    visit("reference-side", self.reference_side,
          "pixels that stand for sqrt(height width); 0: the picture's own");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// As `operator()`, with the mask.
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  RaindropView seen(const at::Tensor& image, Random& random) const;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device. Which pixels a drop
  /// covers is counted on the CPU, because the next drop depends on it; the drops are drawn by the
  /// device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// As a `PlacedBatchDegradation`: drops are as large as on the whole photograph and show as much
  /// of it, but all that they show is the crop, mirrored at its borders; `cover` is of the crop.
  at::Tensor batch(const at::Tensor& images, std::span<const CropPlace> places,
                   Random& random) const;

 private:
  detail::WaterFilm film_for(Random& random) const;

  static void lay(const detail::WaterFilm& film, const detail::ScenePyramid& scene,
                  at::Tensor& image);

  double own_side(std::int64_t height, std::int64_t width) const;

  /// Draws drops until as much is covered as was drawn.
  ///
  /// @param side        pixels that stand for sqrt(H W)
  /// @param new_pixels  (drop) -> how many pixels it covers that no drop before it does
  /// @param draw        (drop, look): it stays
  template <class NewPixels, class Draw>
  void each_drop(std::int64_t height, std::int64_t width, double side, Random& random,
                 NewPixels new_pixels, Draw draw) const {
    const auto pixels = static_cast<double>(height * width);
    const auto soft = edge.draw(random);
    const auto most = cover.high() * pixels;
    const auto wanted = cover.draw(random) * pixels;
    auto covered = 0.0;
    // A drop that would go beyond the largest cover is left out, so the loop needs an end.
    for (auto misses = 0; covered < wanted && misses < 50;) {
      // Radii fall off like r^-2 between the two ends.
      const auto u = random.uniform();
      const auto across = std::max(1.5, side / ((1 - u) / radius.low() + u / radius.high()));
      const detail::DropOutline drop{random.uniform(0, static_cast<double>(height)),
                                     random.uniform(0, static_cast<double>(width)), across,
                                     irregularity, random};
      const detail::DropLook look{.edge = static_cast<float>(soft * random.uniform(0.8, 1.25)),
                                  .opacity = static_cast<float>(opacity.draw(random)),
                                  .view = static_cast<float>(view.draw(random)),
                                  .veil = static_cast<float>(veil.draw(random)),
                                  .shading = static_cast<float>(shading)};
      const auto added = static_cast<double>(new_pixels(drop));
      if (covered + added > most) {
        ++misses;
        continue;
      }
      covered += added;
      draw(drop, look);
    }
  }

  static std::int64_t new_pixels(const detail::DropOutline& drop, const float* mask,
                                 std::int64_t height, std::int64_t width);

  static void draw(const detail::DropOutline& drop, const detail::DropLook& look,
                   const detail::ScenePyramid& scene, RaindropView& result, std::int64_t height,
                   std::int64_t width);
};

static_assert(DegradationWithOptions<Raindrops> && PlacedBatchDegradation<Raindrops>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Raindrops::check() const {
  detail::check_within("Raindrops: cover", cover, {0, 1});
  detail::check_positive("Raindrops: radius", radius);
  detail::check_within("Raindrops: radius", radius, {0, 1});
  detail::check_positive("Raindrops: edge", edge);
  detail::check_within("Raindrops: opacity", opacity, {0, 1});
  detail::check_positive("Raindrops: view", view);
  detail::check_within("Raindrops: veil", veil, {0, 1});
  detail::check_within("Raindrops: soften", soften, {0, 2});
  detail::check_within("Raindrops: film", film, {0, 1});
  detail::check_not_negative("Raindrops: shading", shading);
  detail::check_within("Raindrops: irregularity", irregularity, {0, 1});
  detail::check_not_negative("Raindrops: reference_side", reference_side);
}

LIMPID_INLINE at::Tensor Raindrops::operator()(const at::Tensor& image, Random& random) const {
  return seen(image, random).image;
}

LIMPID_INLINE RaindropView Raindrops::seen(const at::Tensor& image, Random& random) const {
  check();
  const auto clean = detail::photograph("Raindrops", image);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  const auto pixels = height * width;
  RaindropView result{detail::empty_like_photograph(clean),
                      at::empty({height, width}, at::TensorOptions{}.dtype(at::kFloat))};
  const auto* in = clean.data_ptr<float>();
  auto* mask = result.mask.data_ptr<float>();
  std::copy_n(in, 3 * pixels, result.image.data_ptr<float>());
  std::fill_n(mask, pixels, 0.0f);

  const detail::ScenePyramid scene{in, height, width};
  lay(film_for(random), scene, result.image);
  each_drop(
      height, width, own_side(height, width), random,
      [&](const detail::DropOutline& drop) { return new_pixels(drop, mask, height, width); },
      [&](const detail::DropOutline& drop, const detail::DropLook& look) {
        draw(drop, look, scene, result, height, width);
      });
  return result;
}

LIMPID_INLINE at::Tensor Raindrops::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("Raindrops", images);
  return batch(clean, detail::whole_places(clean), random);
}

LIMPID_INLINE at::Tensor Raindrops::batch(const at::Tensor& images,
                                          std::span<const CropPlace> places, Random& random) const {
  check();
  const auto clean = detail::photographs("Raindrops", images);
  detail::check_places("Raindrops", clean, places);
  const auto height = clean.size(2);
  const auto width = clean.size(3);
  detail::DropPixels pixels{clean.size(0), height, width};
  for (const auto& place : places) {
    pixels.next_picture(static_cast<float>(std::min(place.height, place.width)), film_for(random));
    each_drop(
        height, width, own_side(place.height, place.width), random,
        [&](const detail::DropOutline& drop) { return pixels.try_drop(drop); },
        [&](const detail::DropOutline& drop, const detail::DropLook& look) {
          pixels.keep_drop(drop, look);
        });
  }
  return pixels.drawn_on(clean);
}

LIMPID_INLINE detail::WaterFilm Raindrops::film_for(Random& random) const {
  const auto lost = static_cast<float>(soften.draw(random));
  return {lost, static_cast<float>(film.draw(random))};
}

LIMPID_INLINE void Raindrops::lay(const detail::WaterFilm& film, const detail::ScenePyramid& scene,
                                  at::Tensor& image) {
  if (film.soften == 0 && film.glow == 0) return;
  const auto height = image.size(1);
  const auto width = image.size(2);
  const auto [own, half, quarter] = film.shares();
  const auto wide = scene.glow_level();
  auto* values = image.data_ptr<float>();
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const auto at = [&](std::size_t level) {
        return scene.sample(level, static_cast<float>(y) + 0.5f, static_cast<float>(x) + 0.5f);
      };
      const auto halved = at(0);
      const auto quartered = quarter > 0 ? at(scene.level(4)) : halved;
      const auto glow = at(wide);
      for (std::size_t c = 0; c < 3; ++c) {
        auto& value = values[static_cast<std::int64_t>(c) * height * width + y * width + x];
        const auto soft = own * value + half * halved[c] + quarter * quartered[c];
        value = std::clamp(soft + film.glow * (glow[c] - soft), 0.0f, 1.0f);
      }
    }
  }
}

LIMPID_INLINE double Raindrops::own_side(std::int64_t height, std::int64_t width) const {
  return reference_side > 0 ? reference_side : std::sqrt(static_cast<double>(height * width));
}

LIMPID_INLINE std::int64_t Raindrops::new_pixels(const detail::DropOutline& drop, const float* mask,
                                                 std::int64_t height, std::int64_t width) {
  std::int64_t count = 0;
  detail::each_pixel_behind(drop, height, width,
                            [&](std::int64_t at, const detail::DropOutline::Place&) {
                              if (mask[at] == 0.0f) ++count;
                            });
  return count;
}

LIMPID_INLINE void Raindrops::draw(const detail::DropOutline& drop, const detail::DropLook& look,
                                   const detail::ScenePyramid& scene, RaindropView& result,
                                   std::int64_t height, std::int64_t width) {
  auto* out = result.image.data_ptr<float>();
  auto* mask = result.mask.data_ptr<float>();
  const auto pixels = height * width;
  const auto reach = look.view * static_cast<float>(std::min(height, width));
  const auto middle_y = 0.5f * (drop.y() + 0.5f * static_cast<float>(height));
  const auto middle_x = 0.5f * (drop.x() + 0.5f * static_cast<float>(width));
  // One pixel of the drop spans reach / radius pixels of the scene, and the lens blurs the drop
  // over a good part of its edge.
  const auto level =
      scene.level(reach / drop.radius() * std::max(1.0f, 0.5f * look.edge * drop.radius()));
  detail::each_pixel_behind(
      drop, height, width, [&](std::int64_t at, const detail::DropOutline::Place& place) {
        const auto square = std::min(place.dy * place.dy + place.dx * place.dx, 2.0f);
        const auto bend = reach * (0.6f + 0.4f * square);
        const auto colour =
            scene.sample(level, middle_y - bend * place.dy, middle_x - bend * place.dx);
        const auto rim = 1.0f - detail::smooth_step(place.depth / 0.5f);
        const auto foot = std::clamp(place.dy, -1.0f, 1.0f);
        const auto gain = 1.0f + look.shading * (foot * std::min(square, 1.0f) + 0.3f * rim);
        const auto alpha = look.opacity * detail::smooth_step(place.depth / look.edge);
        for (std::int64_t c = 0; c < 3; ++c) {
          const auto seen =
              (1.0f - look.veil) * colour[static_cast<std::size_t>(c)] * gain + look.veil;
          auto& value = out[c * pixels + at];
          value = std::clamp(value + alpha * (seen - value), 0.0f, 1.0f);
        }
        // At least the smallest float, so that the mask tells which pixels a drop covers.
        mask[at] = std::max({mask[at] + alpha - mask[at] * alpha, 1e-30f});
      });
}

}  // namespace limpid

#endif  // LIMPID_BODIES
