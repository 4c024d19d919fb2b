#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/synthetic_depth.hpp>

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/degradations/batch_tensors.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#endif

namespace limpid {

/// Colour of the haze itself: what a pixel at infinite distance shows, RGB in [0, 1].
using Airlight = std::array<float, 3>;

/// Puts haze between a camera and the scene: I = J t + A (1 - t), t = exp(-beta d).
///
/// Source: Koschmieder 1924; Narasimhan and Nayar, "Vision and the Atmosphere", IJCV 2002; so were
/// D-HAZY (Ancuti et al. 2016) and RESIDE (Li et al. 2019) made.
///
/// @param image     J: (3, H, W) float in [0, 1].
/// @param depth     d: (H, W) float, finite, at least 0, larger is farther.
/// @param beta      scattering coefficient, at least 0, per unit of depth; t = exp(-beta) at 1.
/// @param airlight  A.
/// @return          I: same shape as `image`, in [0, 1].
/// @throws c10::ValueError for another shape, type or range.
LIMPID_INLINE at::Tensor haze(const at::Tensor& image, const at::Tensor& depth, double beta,
                              const Airlight& airlight);

/// Haze of random thickness and colour, from a depth that is given, or from a synthetic one.
///
/// Source: the formula of `haze`; RESIDE draws beta from 0.6 to 1.8 and A from 0.7 to 1.
/// Differs: beta is wider, because depth here is relative to the farthest point; A may be tinted.
/// The ranges were widened to what real and RESIDE's pairs show: docs/degradations.md.
struct Haze {
  Interval beta{0.3, 2.4};     ///< thickness: 74 % to 9 % of the farthest point's light arrives
  Interval airlight{0.6, 1};   ///< grey level of the haze
  double tint = 0.04;          ///< largest distance of each channel of the haze from its grey level
  Interval near{0.1, 0.6};     ///< distance of the nearest point, as a part of the farthest's; of a
                               ///< synthetic depth only
  SyntheticDepth synthetic{};  ///< depth of a photograph that comes without one

  static void each_option(auto& self, auto&& visit) {
    visit("beta", self.beta, "thickness; exp(-beta) of the farthest point's light arrives");
    visit("airlight", self.airlight, "grey level of the haze, 0 to 1");
    visit("tint", self.tint, "largest distance of a channel of the haze from its grey level");
    visit("near", self.near, "distance of the nearest point, a part of the farthest's");
    SyntheticDepth::each_option(self.synthetic, visit);
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// The thickness and the colour of one haze.
  struct Drawn {
    double beta = 0;
    Airlight airlight{};
  };

  /// What one call does to a photograph without a depth.
  struct DrawnWithDepth {
    at::Tensor depth;  ///< of the whole photograph
    Drawn drawn;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;
  };

  DrawnWithDepth drawn_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// @param depth  (H, W) float, finite, at least 0, larger is farther; the defaults are for depth
  ///   that is relative to the farthest point.
  at::Tensor operator()(const at::Tensor& image, const at::Tensor& depth, Random& random) const;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// As a `PlacedBatchDegradation`: the depth is that of the whole photographs.
  at::Tensor batch(const at::Tensor& images, std::span<const CropPlace> places,
                   Random& random) const;

  /// @throws c10::ValueError for an option out of range.
  Drawn draw(Random& random) const;

 private:
  /// A synthetic depth that begins at the nearest point.
  at::Tensor distances(std::int64_t height, std::int64_t width, Random& random) const;
};

static_assert(DegradationWithOptions<Haze> && PartwiseDegradation<Haze>);
static_assert(PlacedBatchDegradation<Haze>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor haze(const at::Tensor& image, const at::Tensor& depth, double beta,
                              const Airlight& airlight) {
  detail::check_not_negative("haze: beta", beta);
  for (const auto a : airlight) {
    TORCH_CHECK_VALUE(0 <= a && a <= 1, "haze: expected airlight in [0, 1], got ", a);
  }
  const auto clean = detail::photograph("haze", image);
  const auto pixels = clean.size(1) * clean.size(2);
  TORCH_CHECK_VALUE(depth.defined(), "haze: expected depth [", clean.size(1), ", ", clean.size(2),
                    "] of Float, got an undefined tensor");
  TORCH_CHECK_VALUE(depth.dim() == 2 && depth.size(0) == clean.size(1) &&
                        depth.size(1) == clean.size(2) && depth.scalar_type() == at::kFloat,
                    "haze: expected depth [", clean.size(1), ", ", clean.size(2),
                    "] of Float, got ", depth.sizes(), " of ", toString(depth.scalar_type()));
  const auto distances = depth.detach().contiguous();
  auto hazy = detail::empty_like_photograph(clean);

  const auto* d = distances.data_ptr<float>();
  const auto* in = clean.data_ptr<float>();
  auto* out = hazy.data_ptr<float>();
  const auto minus_beta = static_cast<float>(-beta);
  for (std::int64_t i = 0; i < pixels; ++i) {
    TORCH_CHECK_VALUE(d[i] >= 0.0f && std::isfinite(d[i]),
                      "haze: expected finite depth of at least 0, got ", d[i], " at pixel ", i);
    const auto t = std::exp(minus_beta * d[i]);
    for (std::int64_t c = 0; c < 3; ++c) {
      const auto at = c * pixels + i;
      out[at] =
          std::clamp(in[at] * t + airlight[static_cast<std::size_t>(c)] * (1.0f - t), 0.0f, 1.0f);
    }
  }
  return hazy;
}

LIMPID_INLINE void Haze::check() const {
  detail::check_not_negative("Haze: beta", beta);
  detail::check_within("Haze: airlight", airlight, {0, 1});
  detail::check_not_negative("Haze: tint", tint);
  detail::check_within("Haze: near", near, {0, 1});
  synthetic.check();
}

LIMPID_INLINE at::Tensor Haze::DrawnWithDepth::operator()(const at::Tensor& pixels,
                                                          const Window& window) const {
  const auto part = depth.narrow(0, window.top, window.height).narrow(1, window.left, window.width);
  return haze(pixels, part, drawn.beta, drawn.airlight);
}

LIMPID_INLINE Haze::DrawnWithDepth Haze::drawn_for(std::int64_t height, std::int64_t width,
                                                   Random& random) const {
  auto depth = distances(height, width, random);
  return {std::move(depth), draw(random)};
}

LIMPID_INLINE at::Tensor Haze::operator()(const at::Tensor& image, Random& random) const {
  const auto clean = detail::photograph("Haze", image);
  return (*this)(clean, distances(clean.size(1), clean.size(2), random), random);
}

LIMPID_INLINE at::Tensor Haze::operator()(const at::Tensor& image, const at::Tensor& depth,
                                          Random& random) const {
  const auto drawn = draw(random);
  return haze(image, depth, drawn.beta, drawn.airlight);
}

LIMPID_INLINE at::Tensor Haze::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("Haze", images);
  return batch(clean, detail::whole_places(clean), random);
}

LIMPID_INLINE at::Tensor Haze::batch(const at::Tensor& images, std::span<const CropPlace> places,
                                     Random& random) const {
  const auto clean = detail::photographs("Haze", images);
  detail::check_places("Haze", clean, places);
  std::vector<SyntheticDepth::Drawn> depths;
  std::vector<float> minus_beta, colour, nearest;
  for (const auto& place : places) {
    depths.push_back(synthetic.drawn_for(place.height, place.width, random));
    nearest.push_back(static_cast<float>(near.draw(random)));
    const auto drawn = draw(random);
    minus_beta.push_back(static_cast<float>(-drawn.beta));
    colour.insert(colour.end(), drawn.airlight.begin(), drawn.airlight.end());
  }
  const auto relative = synthetic.batch(depths, places, clean.device()).unsqueeze(1);
  const auto first = for_each_picture(clean, nearest);
  const auto depth = first + (1 - first) * relative;
  const auto arriving = (for_each_picture(clean, minus_beta) * depth).exp();
  const auto air = numbers_on(clean.device(), colour, {clean.size(0), 3, 1, 1});
  return (clean * arriving + air * (1 - arriving)).clamp_(0, 1);
}

LIMPID_INLINE Haze::Drawn Haze::draw(Random& random) const {
  check();
  Drawn drawn;
  drawn.beta = beta.draw(random);
  const auto grey = airlight.draw(random);
  for (auto& channel : drawn.airlight) {
    channel = static_cast<float>(std::clamp(grey + random.uniform(-tint, tint), 0.0, 1.0));
  }
  return drawn;
}

LIMPID_INLINE at::Tensor Haze::distances(std::int64_t height, std::int64_t width,
                                         Random& random) const {
  check();
  auto depth = synthetic(height, width, random);
  const auto nearest = static_cast<float>(near.draw(random));
  auto* values = depth.data_ptr<float>();
  std::transform(values, values + height * width, values,
                 [=](float d) { return nearest + (1 - nearest) * d; });
  return depth;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
