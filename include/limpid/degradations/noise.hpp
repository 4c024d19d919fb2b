#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/planes.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/random_tensor.hpp>
#include <limpid/degradations/batch_tensors.hpp>

#include <algorithm>
#endif

namespace limpid {

/// White Gaussian noise on the stored values, each channel of each pixel by itself: what
/// "sigma = 25" means in papers on denoising.
///
/// Source: Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
/// Denoising", IEEE TIP 2017 (sigma drawn from 0 to 55 for blind denoising).
/// Differs: values are clamped to [0, 1], as a file of 8 bits does.
struct Noise {
  Interval sigma{0, 55};  ///< standard deviation, in levels of 8 bits; one for each photograph

  static void each_option(auto& self, auto&& visit) {
    visit("sigma", self.sigma, "standard deviation, in levels of 8 bits");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// What one call does to a photograph: each pixel has a place of its own in one stream of random
  /// numbers.
  struct Drawn {
    float sigma = 0;
    Random stream;
    std::int64_t width = 0;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;
  };

  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

 private:
  static constexpr std::int64_t kDrawsEach = 2;  // random numbers that one normal number takes
};

static_assert(DegradationWithOptions<Noise> && PartwiseDegradation<Noise>);
static_assert(BatchDegradation<Noise>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Noise::check() const { detail::check_not_negative("Noise: sigma", sigma); }

LIMPID_INLINE at::Tensor Noise::Drawn::operator()(const at::Tensor& pixels,
                                                  const Window& window) const {
  const auto clean = detail::photograph("Noise", pixels);
  auto noisy = detail::empty_like_photograph(clean);
  const auto* in = clean.data_ptr<float>();
  auto* out = noisy.data_ptr<float>();
  const auto count = window.height * window.width;
  for (std::int64_t y = 0; y < window.height; ++y) {
    auto random = stream;
    random.skip(kDrawsEach * 3 * ((window.top + y) * width + window.left));
    for (auto i = y * window.width; i < (y + 1) * window.width; ++i) {
      for (std::int64_t c = 0; c < 3; ++c) {
        const auto value = in[c * count + i] + sigma * static_cast<float>(random.normal());
        out[c * count + i] = std::clamp(value, 0.0f, 1.0f);
      }
    }
  }
  return noisy;
}

LIMPID_INLINE Noise::Drawn Noise::drawn_for(std::int64_t height, std::int64_t width,
                                            Random& random) const {
  check();
  const auto drawn = sigma.draw(random);
  const auto stream = random;
  random.skip(kDrawsEach * 3 * height * width);
  return {static_cast<float>(drawn / 255), stream, width, 0};
}

LIMPID_INLINE at::Tensor Noise::operator()(const at::Tensor& image, Random& random) const {
  const auto clean = detail::photograph("Noise", image);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  return drawn_for(height, width, random)(clean, Window::whole(height, width));
}

LIMPID_INLINE at::Tensor Noise::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("Noise", images);
  std::vector<float> sigmas;
  std::vector<Random> streams;
  for (std::int64_t i = 0; i < clean.size(0); ++i) {
    const auto drawn = drawn_for(clean.size(2), clean.size(3), random);
    sigmas.push_back(drawn.sigma);
    streams.push_back(drawn.stream);
  }
  const auto normal = random_normal({clean.size(2), clean.size(3), 3}, streams, clean.options());
  const auto sigma_of_each = for_each_picture(clean, sigmas);
  return (clean + sigma_of_each * normal.permute({0, 3, 1, 2})).clamp_(0, 1);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
