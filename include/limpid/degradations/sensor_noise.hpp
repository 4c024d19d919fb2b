#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/bayer.hpp>
#include <limpid/degradations/camera_pipeline.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/pixel_stream.hpp>
#include <limpid/degradations/planes.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/random_tensor.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/camera_batch.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#endif

namespace limpid {

/// Noise as cameras make it: it arises on the sensor, where each pixel sees one colour, and goes
/// through all that a camera makes of the sensor's values, which spreads, tints and bends it.
///
/// The photograph is unprocessed (tone curve, gamma, colours, white balance), laid under a Bayer
/// pattern, given noise of variance shot x + read at each value x, and processed again
/// (`CameraPipeline`, `Demosaic`). The noise of the light, which is Poisson, is taken as a normal
/// one of its variance. Without noise the way there and back changes little on smooth pictures;
/// what comes near white clips, and fine detail shows the pattern.
///
/// Source: Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, sec. 3: shot
/// drawn log-uniformly, log read = 2.18 log shot + 1.2 with deviation 0.26. Differs: demosaicing is
/// Malvar's in place of bilinear; the brightness is drawn uniformly.
struct SensorNoise {
  Interval shot{0.0001, 0.012};  ///< variance per value; log-uniform. 0: no noise at all
  double read_spread = 0.26;     ///< deviation of log read from the line above
  Interval exposure{0.6, 1};     ///< of the sensor: 1 / what the camera brightens afterwards
  Interval red{1.9, 2.4};        ///< white balance: gain of red
  Interval blue{1.5, 1.9};       ///< and of blue

  static void each_option(auto& self, auto&& visit) {
    visit("shot", self.shot, "variance of the light's noise per value; 0: no noise");
    visit("read-spread", self.read_spread, "how much cameras differ in the noise of the dark");
    visit("exposure", self.exposure, "of the sensor; the camera makes up for it");
    visit("red", self.red, "gain of red, for the white balance");
    visit("blue", self.blue, "gain of blue, for the white balance");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// What one call does to a photograph.
  struct Drawn {
    detail::CameraPipeline camera;
    float shot = 0, read = 0;
    detail::PixelStream stream;
    std::int64_t margin = detail::Demosaic::kMargin;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;
  };

  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device. The pattern begins with
  /// red at the first pixel of each.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// Pixels around a crop that its degraded version may depend on.
  std::int64_t batch_margin() const { return detail::Demosaic::kMargin; }

 private:
  detail::CameraPipeline drawn_pipeline(Random& random) const;
};

static_assert(DegradationWithOptions<SensorNoise> && PartwiseDegradation<SensorNoise>);
static_assert(BatchDegradation<SensorNoise>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void SensorNoise::check() const {
  detail::check_within("SensorNoise: shot", shot, {0, 1});
  TORCH_CHECK_VALUE(shot.low() > 0 || shot.high() == 0,
                    "SensorNoise: shot must be 0, or positive at both ends, got ", shot);
  detail::check_not_negative("SensorNoise: read-spread", read_spread);
  detail::check_positive("SensorNoise: exposure", exposure);
  detail::check_positive("SensorNoise: red", red);
  detail::check_positive("SensorNoise: blue", blue);
}

LIMPID_INLINE at::Tensor SensorNoise::Drawn::operator()(const at::Tensor& pixels,
                                                        const Window& window) const {
  const auto clean = detail::photograph("SensorNoise", pixels);
  const auto height = window.height;
  const auto width = window.width;
  const auto count = height * width;
  std::vector<float> raw(static_cast<std::size_t>(count));
  const auto* in = clean.data_ptr<float>();
  for (std::int64_t y = 0; y < height; ++y) {
    auto random = stream.at(window.top + y, window.left);
    for (std::int64_t x = 0; x < width; ++x) {
      const auto i = y * width + x;
      const auto colour = detail::bayer_colour(window.top + y, window.left + x);
      const auto seen = camera.sensor({in[i], in[count + i], in[2 * count + i]})[colour];
      const auto noise = static_cast<float>(random.normal());
      raw[static_cast<std::size_t>(i)] =
          camera.balanced(seen + std::sqrt(shot * seen + read) * noise, colour);
    }
  }
  auto noisy = detail::empty_like_photograph(clean);
  auto* out = noisy.data_ptr<float>();
  const detail::Demosaic demosaic{raw.data(), height, width, window.top, window.left};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const auto colour = camera.stored(demosaic.at(y, x));
      for (std::int64_t c = 0; c < 3; ++c) {
        out[c * count + y * width + x] = colour[static_cast<std::size_t>(c)];
      }
    }
  }
  return noisy;
}

LIMPID_INLINE SensorNoise::Drawn SensorNoise::drawn_for(std::int64_t height, std::int64_t width,
                                                        Random& random) const {
  check();
  Drawn drawn;
  drawn.camera = drawn_pipeline(random);
  const auto where = random.uniform();
  const auto spread = random.normal();
  if (shot.high() > 0) {
    const auto log_shot =
        std::log(shot.low()) + where * (std::log(shot.high()) - std::log(shot.low()));
    drawn.shot = static_cast<float>(std::exp(log_shot));
    drawn.read = static_cast<float>(std::exp(2.18 * log_shot + 1.2 + read_spread * spread));
  }
  drawn.stream = detail::PixelStream::taken_from(random, height, width, 2);
  return drawn;
}

LIMPID_INLINE at::Tensor SensorNoise::operator()(const at::Tensor& image, Random& random) const {
  const auto clean = detail::photograph("SensorNoise", image);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  return drawn_for(height, width, random)(clean, Window::whole(height, width));
}

LIMPID_INLINE at::Tensor SensorNoise::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("SensorNoise", images);
  const auto height = clean.size(2);
  const auto width = clean.size(3);
  std::vector<detail::CameraPipeline> cameras;
  std::vector<float> shots, reads;
  std::vector<Random> streams;
  for (std::int64_t i = 0; i < clean.size(0); ++i) {
    const auto drawn = drawn_for(height, width, random);
    cameras.push_back(drawn.camera);
    shots.push_back(drawn.shot);
    reads.push_back(drawn.read);
    streams.push_back(drawn.stream.start);
  }
  const detail::CameraBatch camera{cameras, height, width, clean.device()};
  const auto seen = camera.sensor(clean);
  const auto variance = seen * for_each_picture(clean, shots) + for_each_picture(clean, reads);
  const auto normal = random_normal({1, height, width}, streams, clean.options());
  return camera.stored(camera.balanced(seen + variance.sqrt() * normal));
}

LIMPID_INLINE detail::CameraPipeline SensorNoise::drawn_pipeline(Random& random) const {
  detail::CameraPipeline camera;
  camera.camera_of_rgb = detail::drawn_camera(random);
  camera.rgb_of_camera = detail::inverse_of(camera.camera_of_rgb);
  const auto bright = 1 / exposure.draw(random);
  camera.gains = {static_cast<float>(bright * red.draw(random)), static_cast<float>(bright),
                  static_cast<float>(bright * blue.draw(random))};
  return camera;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
