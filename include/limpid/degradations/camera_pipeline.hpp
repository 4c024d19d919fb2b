#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>

#include <array>
#include <cstddef>

// What a camera makes of its sensor's values, and the way back, for one pixel.

#ifdef LIMPID_BODIES
#include <algorithm>
#include <cmath>
#endif

namespace limpid::detail {

using Colour = std::array<float, 3>;
using ColourMatrix = std::array<Colour, 3>;  ///< rows

LIMPID_INLINE Colour operator*(const ColourMatrix& matrix, const Colour& colour);

LIMPID_INLINE ColourMatrix inverse_of(const ColourMatrix& m);

/// From linear sRGB to a camera's own colours: between those of four cameras, white stays white.
///
/// Source: Brooks et al., CVPR 2019, sec. 3.3; the matrices of XYZ to camera are those of its
/// published code, made by the cameras' makers for DNG files.
LIMPID_INLINE ColourMatrix drawn_camera(Random& random);

/// A photograph's values to those of the sensor and back. All values in [0, 1].
///
/// Source: Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, sec. 3: tone
/// curve 3 x^2 - 2 x^3, gamma 2.2, colour matrix, white balance and brightness, in this order from
/// the end. Bright pixels stay bright on the way back: the gains fade to 1 from grey 0.9 on.
struct CameraPipeline {
  ColourMatrix camera_of_rgb{};
  ColourMatrix rgb_of_camera{};
  Colour gains{1, 1, 1};  ///< of red, green, blue; brightness included

  Colour sensor(Colour stored) const;

  /// A value of one colour of the sensor, white-balanced.
  float balanced(float value, std::size_t channel) const;

  /// From white-balanced colours.
  Colour stored(const Colour& balanced_colour) const;

  static constexpr float kGamma = 2.2f;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE Colour operator*(const ColourMatrix& matrix, const Colour& colour) {
  Colour result{};
  for (std::size_t i = 0; i < 3; ++i) {
    result[i] = matrix[i][0] * colour[0] + matrix[i][1] * colour[1] + matrix[i][2] * colour[2];
  }
  return result;
}

LIMPID_INLINE ColourMatrix inverse_of(const ColourMatrix& m) {
  const auto minor = [&](std::size_t i, std::size_t j) {
    const auto a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
    return m[a][c] * m[b][d] - m[a][d] * m[b][c];
  };
  const auto determinant = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
  ColourMatrix result{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) result[j][i] = minor(i, j) / determinant;
  }
  return result;
}

LIMPID_INLINE ColourMatrix drawn_camera(Random& random) {
  constexpr ColourMatrix kCameras[] = {
      {{{1.0234f, -0.2969f, -0.2266f},
        {-0.5625f, 1.6328f, -0.0469f},
        {-0.0703f, 0.2188f, 0.6406f}}},
      {{{0.4913f, -0.0541f, -0.0202f}, {-0.613f, 1.3513f, 0.2906f}, {-0.1564f, 0.2151f, 0.7183f}}},
      {{{0.838f, -0.263f, -0.0639f}, {-0.2887f, 1.0725f, 0.2496f}, {-0.0627f, 0.1427f, 0.5438f}}},
      {{{0.6596f, -0.2079f, -0.0562f}, {-0.4782f, 1.3016f, 0.1933f}, {-0.097f, 0.1581f, 0.5181f}}}};
  constexpr ColourMatrix kXyzOfRgb = {{{0.4124564f, 0.3575761f, 0.1804375f},
                                       {0.2126729f, 0.7151522f, 0.0721750f},
                                       {0.0193339f, 0.1191920f, 0.9503041f}}};
  ColourMatrix mixed{};
  for (const auto& camera : kCameras) {
    const auto weight = static_cast<float>(random.uniform(1e-8, 1));
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) mixed[i][j] += weight * camera[i][j];
    }
  }
  ColourMatrix result{};
  for (std::size_t i = 0; i < 3; ++i) {
    auto sum = 0.0f;
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 3; ++k) result[i][j] += mixed[i][k] * kXyzOfRgb[k][j];
      sum += result[i][j];
    }
    for (auto& value : result[i]) value /= sum;
  }
  return result;
}

LIMPID_INLINE Colour CameraPipeline::sensor(Colour stored) const {
  for (auto& value : stored) {
    const auto toned = std::clamp(value, 0.0f, 1.0f);
    const auto linear = 0.5f - std::sin(std::asin(1.0f - 2.0f * toned) / 3.0f);
    value = std::pow(std::max(linear, 1e-8f), kGamma);
  }
  auto colour = camera_of_rgb * stored;
  const auto grey = (colour[0] + colour[1] + colour[2]) / 3.0f;
  const auto above = std::max(grey - 0.9f, 0.0f) / 0.1f;
  const auto keep = std::min(above * above, 1.0f);
  for (std::size_t c = 0; c < 3; ++c) {
    const auto gain = 1.0f / gains[c];
    colour[c] = std::clamp(colour[c] * std::max(keep + (1.0f - keep) * gain, gain), 0.0f, 1.0f);
  }
  return colour;
}

LIMPID_INLINE float CameraPipeline::balanced(float value, std::size_t channel) const {
  return std::clamp(value * gains[channel], 0.0f, 1.0f);
}

LIMPID_INLINE Colour CameraPipeline::stored(const Colour& balanced_colour) const {
  auto colour = rgb_of_camera * balanced_colour;
  for (auto& value : colour) {
    const auto bent = std::pow(std::clamp(value, 1e-8f, 1.0f), 1.0f / kGamma);
    value = std::clamp(bent * bent * (3.0f - 2.0f * bent), 0.0f, 1.0f);
  }
  return colour;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
