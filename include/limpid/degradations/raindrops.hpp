#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/random.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/raindrop.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace limpid {

/// A photograph seen through drops, and where they are.
struct RaindropView {
  at::Tensor image;  ///< (3, H, W) float in [0, 1].
  at::Tensor mask;   ///< (H, W) float: 0 no drop, 1 nothing but drop.
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
/// wavy ellipses melted together; M falls off smoothly over the blur of the lens.
///
/// Source: Qian et al., "Attentive Generative Adversarial Network for Raindrop Removal", CVPR 2018,
/// eq. 1 (the mask and what it adds); Garg and Nayar, "Vision and Rain", IJCV 2007 (a drop shows a
/// wide part of the scene upside down); Roser, Kurz and Geiger, "Realistic Modeling of Water
/// Droplets for Monocular Adherent Raindrop Recognition", ACCV 2010 (irregular outlines); von
/// Bernuth, Volk and Bringmann, "Rendering Physically Correct Raindrops on Windshields", IV 2018
/// (out of focus). Differs: no ray is traced; f stands in for Snell's law, the pyramid for the
/// lens' blur.
struct Raindrops {
  double min_cover = 0.07;    ///< Part of the pixels behind drops, at least.
  double max_cover = 0.15;    ///< At most; never exceeded.
  double min_radius = 0.007;  ///< Of a drop, as a part of sqrt(H W): 4 pixels at 640 x 480.
  double max_radius = 0.05;   ///< 28 pixels there. Small drops are more frequent than large ones.
  double min_edge = 0.2;      ///< Width of the soft edge, as a part of the radius, at least.
  double max_edge = 0.6;      ///< At most; one value per photograph, as the focus is one.
  double min_view = 0.2;      ///< Part of the shorter side that a drop shows from middle to rim.
  double max_view = 0.4;
  double max_veil = 0.35;     ///< Strongest scattered light.
  double shading = 0.45;      ///< Brighter foot and darker top.
  double irregularity = 0.6;  ///< 0: circles; 1: odd shapes.
  double reference_side = 0;  ///< Pixels that stand for sqrt(H W); 0: the image's own. For crops.

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  at::Tensor operator()(const at::Tensor& image, Random& random) const {
    return view(image, random).image;
  }

  /// As `operator()`, with the mask.
  /// @throws c10::ValueError for another shape or type, or if a range is empty.
  RaindropView view(const at::Tensor& image, Random& random) const {
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
    const auto side =
        reference_side > 0 ? reference_side : std::sqrt(static_cast<double>(height * width));
    const auto edge = random.uniform(min_edge, max_edge);
    const auto most = max_cover * static_cast<double>(pixels);
    const auto wanted = random.uniform(min_cover, max_cover) * static_cast<double>(pixels);
    auto covered = 0.0;
    // A drop that would go beyond the largest cover is left out, so the loop needs an end.
    for (auto misses = 0; covered < wanted && misses < 50;) {
      // Radii fall off like r^-2 between the two ends.
      const auto u = random.uniform();
      const auto radius = std::max(1.5, side / ((1 - u) / min_radius + u / max_radius));
      const detail::DropOutline drop{random.uniform(0, static_cast<double>(height)),
                                     random.uniform(0, static_cast<double>(width)), radius,
                                     irregularity, random};
      const Look look{.edge = static_cast<float>(edge * random.uniform(0.8, 1.25)),
                      .view = static_cast<float>(random.uniform(min_view, max_view)),
                      .veil = static_cast<float>(random.uniform(0, max_veil)),
                      .shading = static_cast<float>(shading)};
      const auto added = new_pixels(drop, mask, height, width);
      if (covered + static_cast<double>(added) > most) {
        ++misses;
        continue;
      }
      covered += static_cast<double>(added);
      draw(drop, look, scene, result, height, width);
    }
    return result;
  }

 private:
  struct Look {
    float edge, view, veil, shading;
  };

  void check() const {
    TORCH_CHECK_VALUE(0 <= min_cover && min_cover <= max_cover && max_cover <= 1,
                      "Raindrops: expected 0 <= min_cover <= max_cover <= 1, got ", min_cover,
                      " and ", max_cover);
    TORCH_CHECK_VALUE(0 < min_radius && min_radius <= max_radius && max_radius <= 1,
                      "Raindrops: expected 0 < min_radius <= max_radius <= 1, got ", min_radius,
                      " and ", max_radius);
    TORCH_CHECK_VALUE(0 < min_edge && min_edge <= max_edge,
                      "Raindrops: expected 0 < min_edge <= max_edge, got ", min_edge, " and ",
                      max_edge);
    TORCH_CHECK_VALUE(0 < min_view && min_view <= max_view,
                      "Raindrops: expected 0 < min_view <= max_view, got ", min_view, " and ",
                      max_view);
    detail::check_not_negative("Raindrops: max_veil", max_veil);
    detail::check_not_negative("Raindrops: reference_side", reference_side);
  }

  /// Calls visit(index, place) for each pixel of the picture that the drop covers.
  template <class Visit>
  static void each_pixel(const detail::DropOutline& drop, std::int64_t height, std::int64_t width,
                         Visit visit) {
    const auto first = [](float at) {
      return std::max<std::int64_t>(0, static_cast<std::int64_t>(at));
    };
    const auto last = [](float at, std::int64_t count) {
      return std::min(count, static_cast<std::int64_t>(at) + 1);
    };
    const auto bottom = last(drop.y() + drop.reach(), height);
    const auto right = last(drop.x() + drop.reach(), width);
    for (auto y = first(drop.y() - drop.reach()); y < bottom; ++y) {
      for (auto x = first(drop.x() - drop.reach()); x < right; ++x) {
        const auto place = drop.at(static_cast<float>(y) + 0.5f, static_cast<float>(x) + 0.5f);
        if (place.depth > 0.0f) visit(y * width + x, place);
      }
    }
  }

  static std::int64_t new_pixels(const detail::DropOutline& drop, const float* mask,
                                 std::int64_t height, std::int64_t width) {
    std::int64_t count = 0;
    each_pixel(drop, height, width, [&](std::int64_t at, const detail::DropOutline::Place&) {
      if (mask[at] == 0.0f) ++count;
    });
    return count;
  }

  static void draw(const detail::DropOutline& drop, const Look& look,
                   const detail::ScenePyramid& scene, RaindropView& result, std::int64_t height,
                   std::int64_t width) {
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
    each_pixel(drop, height, width, [&](std::int64_t at, const detail::DropOutline::Place& place) {
      const auto square = std::min(place.dy * place.dy + place.dx * place.dx, 2.0f);
      const auto bend = reach * (0.6f + 0.4f * square);
      const auto colour =
          scene.sample(level, middle_y - bend * place.dy, middle_x - bend * place.dx);
      const auto rim = 1.0f - detail::smooth_step(place.depth / 0.5f);
      const auto foot = std::clamp(place.dy, -1.0f, 1.0f);
      const auto gain = 1.0f + look.shading * (foot * std::min(square, 1.0f) + 0.3f * rim);
      const auto alpha = detail::smooth_step(place.depth / look.edge);
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
};

static_assert(Degradation<Raindrops>);

}  // namespace limpid
