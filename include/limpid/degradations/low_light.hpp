#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/frame_average.hpp>
#include <limpid/degradations/pixel_stream.hpp>
#include <limpid/degradations/planes.hpp>

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/random_tensor.hpp>
#include <limpid/degradations/batch_tensors.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#endif

namespace limpid {

/// Too little light: a dark picture with a colour cast, and the noise that shows in the dark.
///
/// Each channel becomes gain (exposure J)^gamma cast, and gets noise of variance shot x + read^2 at
/// the dark value x, each channel of each pixel by itself.
///
/// Source: Lv, Li and Lu, "Attention Guided Low-Light Image Enhancement with a Large Scale
/// Low-Light Simulation Dataset", IJCV 2021, eq. 1: exposure 0.9 to 1, gain 0.5 to 1, gamma 1.5 to
/// 5, then Gaussian and Poisson noise. Differs: the colour cast, as lamps and white balances of the
/// night leave one (LOL, Wei et al., BMVC 2018); noise stands on the dark values, where
/// `SensorNoise` goes through a camera's processing.
struct LowLight {
  Interval exposure{0.9, 1};     ///< times the stored value, before gamma
  Interval gain{0.5, 1};         ///< times the result of gamma
  Interval gamma{1.5, 5};        ///< bends dark tones down
  Interval cast{0.85, 1.15};     ///< of each channel
  Interval shot{0.0002, 0.004};  ///< variance per value: the light's own noise
  Interval read{0.5, 4};         ///< deviation of the camera's noise, in levels of 8 bits

  static void each_option(auto& self, auto&& visit) {
    visit("exposure", self.exposure, "times the value, before gamma");
    visit("gain", self.gain, "times the value, after gamma");
    visit("gamma", self.gamma, "bends dark tones down");
    visit("cast", self.cast, "times each channel");
    visit("shot", self.shot, "variance of the light's noise per value");
    visit("read", self.read, "deviation of the camera's noise, in levels of 8 bits");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// What one call does to a photograph.
  struct Drawn {
    float exposure = 1, gamma = 1, shot = 0, read = 0;
    std::array<float, 3> gain{};  ///< of each channel
    detail::PixelStream stream;
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
};

static_assert(DegradationWithOptions<LowLight> && PartwiseDegradation<LowLight>);
static_assert(BatchDegradation<LowLight>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void LowLight::check() const {
  detail::check_not_negative("LowLight: exposure", exposure);
  detail::check_not_negative("LowLight: gain", gain);
  detail::check_positive("LowLight: gamma", gamma);
  detail::check_not_negative("LowLight: cast", cast);
  detail::check_not_negative("LowLight: shot", shot);
  detail::check_not_negative("LowLight: read", read);
}

LIMPID_INLINE at::Tensor LowLight::Drawn::operator()(const at::Tensor& pixels,
                                                     const Window& window) const {
  const auto clean = detail::photograph("LowLight", pixels);
  auto dark = detail::empty_like_photograph(clean);
  const auto* in = clean.data_ptr<float>();
  auto* out = dark.data_ptr<float>();
  const auto count = window.height * window.width;
  for (std::int64_t y = 0; y < window.height; ++y) {
    auto random = stream.at(window.top + y, window.left);
    for (auto i = y * window.width; i < (y + 1) * window.width; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        const auto at = static_cast<std::int64_t>(c) * count + i;
        const auto value = gain[c] * std::pow(std::max(exposure * in[at], 0.0f), gamma);
        const auto deviation = std::sqrt(shot * value + read * read);
        const auto noise = static_cast<float>(random.normal());
        out[at] = std::clamp(value + deviation * noise, 0.0f, 1.0f);
      }
    }
  }
  return dark;
}

LIMPID_INLINE LowLight::Drawn LowLight::drawn_for(std::int64_t height, std::int64_t width,
                                                  Random& random) const {
  check();
  Drawn drawn;
  drawn.exposure = static_cast<float>(exposure.draw(random));
  const auto all = gain.draw(random);
  drawn.gamma = static_cast<float>(gamma.draw(random));
  for (auto& channel : drawn.gain) channel = static_cast<float>(all * cast.draw(random));
  drawn.shot = static_cast<float>(shot.draw(random));
  drawn.read = static_cast<float>(read.draw(random) / 255);
  drawn.stream = detail::PixelStream::taken_from(random, height, width, 6);
  return drawn;
}

LIMPID_INLINE at::Tensor LowLight::operator()(const at::Tensor& image, Random& random) const {
  const auto clean = detail::photograph("LowLight", image);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  return drawn_for(height, width, random)(clean, Window::whole(height, width));
}

LIMPID_INLINE at::Tensor LowLight::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("LowLight", images);
  std::vector<float> exposures, gammas, gains, shots, reads;
  std::vector<Random> streams;
  for (std::int64_t i = 0; i < clean.size(0); ++i) {
    const auto drawn = drawn_for(clean.size(2), clean.size(3), random);
    exposures.push_back(drawn.exposure);
    gammas.push_back(drawn.gamma);
    gains.insert(gains.end(), drawn.gain.begin(), drawn.gain.end());
    shots.push_back(drawn.shot);
    reads.push_back(drawn.read * drawn.read);
    streams.push_back(drawn.stream.start);
  }
  const auto normal = random_normal({clean.size(2), clean.size(3), 3}, streams, clean.options());
  const auto exposed = (clean * for_each_picture(clean, exposures)).clamp_min_(0);
  const auto dark = exposed.pow(for_each_picture(clean, gammas)) *
                    numbers_on(clean.device(), gains, {clean.size(0), 3, 1, 1});
  const auto variance = dark * for_each_picture(clean, shots) + for_each_picture(clean, reads);
  return (dark + variance.sqrt() * normal.permute({0, 3, 1, 2})).clamp_(0, 1);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
