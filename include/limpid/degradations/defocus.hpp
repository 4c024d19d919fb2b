#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/aperture_kernel.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/motion_blur.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/light_batch.hpp>
#include <limpid/degradations/light_curve.hpp>
#include <limpid/degradations/planes.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#endif

namespace limpid {

/// A scene that is out of focus: each point of light becomes the shape of the lens' opening, a disc
/// or a polygon of blades. Light is spread, not stored values, and what is stored as white may have
/// been brighter, so that highlights become bright discs.
///
/// Source: the geometry of a thin lens, as Abuolaim and Brown, "Defocus Deblurring Using Dual-Pixel
/// Data", ECCV 2020 (DPDD) and Lee et al., "Deep Defocus Map Estimation Using Domain Adaptation",
/// CVPR 2019 state it; polygons and saturation are ours.
/// Differs: one blur for the whole picture, as of a flat scene; no lens errors.
struct Defocus {
  Interval radius{0.5, 6};    ///< of the blurred point, pixels
  Interval blades{4, 9};      ///< of the polygon, whole numbers; below 5: a disc
  Interval roundness{0, 1};   ///< of its edges; 1: a disc
  double gamma = 2.2;         ///< light = stored ^ gamma; 1: stored values are blurred
  Interval highlights{1, 3};  ///< light of what is stored as white; 1: just white

  static void each_option(auto& self, auto&& visit) {
    visit("radius", self.radius, "of a blurred point, pixels");
    visit("blades", self.blades, "of the lens' opening, a polygon; below 5: a disc");
    visit("roundness", self.roundness, "of the polygon's edges; 1: a disc");
    visit("gamma", self.gamma, "2.2 blurs light, 1 stored values");
    visit("highlights", self.highlights, "light of what is stored as white; 1: just white");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// What one call does to a photograph.
  struct Drawn {
    ApertureKernel kernel;
    double gamma = 2.2;
    float highlights = 1;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window&) const;
  };

  Drawn drawn_for(std::int64_t, std::int64_t, Random& random) const;

  /// The opening that a call draws.
  /// @throws c10::ValueError for an option out of range.
  Aperture aperture(Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  std::int64_t batch_margin() const;
};

static_assert(DegradationWithOptions<Defocus> && PartwiseDegradation<Defocus>);
static_assert(BatchDegradation<Defocus>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Defocus::check() const {
  detail::check_not_negative("Defocus: radius", radius);
  detail::check_within("Defocus: radius", radius, {0, 128});
  detail::check_within("Defocus: blades", blades, {0, 64});
  detail::check_within("Defocus: roundness", roundness, {0, 1});
  detail::check_positive("Defocus: gamma", gamma);
  detail::check_within("Defocus: highlights", highlights, {1, 100});
}

LIMPID_INLINE at::Tensor Defocus::Drawn::operator()(const at::Tensor& pixels, const Window&) const {
  const auto clean = detail::photograph("Defocus", pixels);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  const auto plane = height * width;
  const LightCurve curve{gamma};
  auto light = detail::empty_like_photograph(clean);
  auto blurred = detail::empty_like_photograph(clean);
  const auto* in = clean.data_ptr<float>();
  auto* bright = light.data_ptr<float>();
  for (std::int64_t i = 0; i < plane; ++i) {
    const auto r = in[i], g = in[plane + i], b = in[2 * plane + i];
    const auto gain = highlight_gain(std::max({r, g, b}), highlights);
    bright[i] = gain * curve.light(r);
    bright[plane + i] = gain * curve.light(g);
    bright[2 * plane + i] = gain * curve.light(b);
  }
  detail::SparseBlur blur{kernel, height, width};
  for (std::int64_t c = 0; c < 3; ++c) {
    auto* out = blurred.data_ptr<float>() + c * plane;
    blur(bright + c * plane, out);
    std::transform(out, out + plane, out, [&](float value) { return curve.stored(value); });
  }
  return blurred;
}

LIMPID_INLINE Defocus::Drawn Defocus::drawn_for(std::int64_t, std::int64_t, Random& random) const {
  ApertureKernel kernel{aperture(random)};
  const auto margin = kernel.radius();
  return {std::move(kernel), gamma, static_cast<float>(highlights.draw(random)), margin};
}

LIMPID_INLINE Aperture Defocus::aperture(Random& random) const {
  check();
  Aperture drawn;
  drawn.radius = radius.draw(random);
  const auto fewest = static_cast<std::int64_t>(std::ceil(blades.low()));
  const auto most = std::max(fewest, static_cast<std::int64_t>(std::floor(blades.high())));
  const auto corners = fewest + random.below(most - fewest + 1);
  drawn.blades = corners < 5 ? 0 : corners;
  drawn.roundness = roundness.draw(random);
  drawn.turn = random.uniform(0, 2 * std::numbers::pi);
  return drawn;
}

LIMPID_INLINE at::Tensor Defocus::operator()(const at::Tensor& image, Random& random) const {
  const auto clean = detail::photograph("Defocus", image);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  return drawn_for(height, width, random)(clean, Window::whole(height, width));
}

LIMPID_INLINE at::Tensor Defocus::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("Defocus", images);
  std::vector<at::Tensor> kernels;
  std::vector<float> gains;
  for (std::int64_t i = 0; i < clean.size(0); ++i) {
    const auto drawn = drawn_for(clean.size(2), clean.size(3), random);
    kernels.push_back(drawn.kernel.dense());
    gains.push_back(drawn.highlights);
  }
  const auto exponents =
      for_each_picture(clean, std::vector<float>(gains.size(), static_cast<float>(gamma)));
  const auto light = highlighted_light(clean, exponents, gains);
  const auto blurred = correlated(light, stacked_kernels(kernels, clean.device()));
  return stored_light(blurred, exponents);
}

LIMPID_INLINE std::int64_t Defocus::batch_margin() const {
  return static_cast<std::int64_t>(std::ceil(radius.high()));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
