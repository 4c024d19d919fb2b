#pragma once

#include <limpid/core/window.hpp>
#include <limpid/degradations/light_curve.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/pose_path.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace limpid::detail {

/// Red, green and blue light of a pixel, and how much of it there is: four at a time are one vector
/// of the machine.
struct alignas(16) Light {
  float part[4];
};

/// The light of a window of a picture, which may reach beyond the picture's borders.
class LightPicture {
 public:
  explicit LightPicture(const Window& window)
      : window_(window), pixels_(static_cast<std::size_t>(window.height * window.width)) {}

  const Window& window() const { return window_; }

  /// Row `y` of the picture, from the window's first column on.
  Light* row(std::int64_t y) { return pixels_.data() + (y - window_.top) * window_.width; }

  const Light& pixel(std::int64_t x, std::int64_t y) const {
    return pixels_[static_cast<std::size_t>((y - window_.top) * window_.width + x - window_.left)];
  }

  /// Between four pixels, linearly; at the window's border where `at` lies outside.
  Light sample(PicturePoint at) const {
    const auto x = below(at.x);
    const auto y = below(at.y);
    const auto fx = at.x - static_cast<float>(x);
    const auto fy = at.y - static_cast<float>(y);
    const auto column = std::clamp<std::int64_t>(x - window_.left, 0, window_.width - 2);
    const auto row = std::clamp<std::int64_t>(y - window_.top, 0, window_.height - 2);
    const auto* upper = pixels_.data() + row * window_.width + column;
    const auto* lower = upper + window_.width;
    Light light;
    for (int c = 0; c < 4; ++c) {
      const auto above = upper[0].part[c] + fx * (upper[1].part[c] - upper[0].part[c]);
      const auto under = lower[0].part[c] + fx * (lower[1].part[c] - lower[0].part[c]);
      light.part[c] = above + fy * (under - above);
    }
    return light;
  }

  /// Fills the window with the light of a photograph, mirrored at the borders of the picture.
  ///
  /// @param stored   (3, H, W): the pixels of the window `seen` of the picture
  /// @param gain     brightness of white that was clipped (`highlight_gain`)
  void fill(const float* stored, const Window& seen, std::int64_t height, std::int64_t width,
            const LightCurve& curve, float gain) {
    const auto plane = seen.height * seen.width;
    std::vector<std::int64_t> columns(static_cast<std::size_t>(window_.width));
    for (std::int64_t x = 0; x < window_.width; ++x) {
      const auto column = mirrored(window_.left + x, width) - seen.left;
      columns[static_cast<std::size_t>(x)] = std::clamp<std::int64_t>(column, 0, seen.width - 1);
    }
    for (auto y = window_.top; y < window_.bottom(); ++y) {
      const auto from =
          std::clamp<std::int64_t>(mirrored(y, height) - seen.top, 0, seen.height - 1);
      const auto* in = stored + from * seen.width;
      auto* out = row(y);
      for (std::int64_t x = 0; x < window_.width; ++x) {
        const auto* pixel = in + columns[static_cast<std::size_t>(x)];
        const auto r = pixel[0], g = pixel[plane], b = pixel[2 * plane];
        const auto more = gain == 1.0f ? 1.0f : highlight_gain(std::max({r, g, b}), gain);
        out[x] = {{more * curve.light(r), more * curve.light(g), more * curve.light(b), 1.0f}};
      }
    }
  }

 private:
  static std::int64_t below(float number) {
    const auto whole = static_cast<std::int32_t>(number);
    return whole - (number < static_cast<float>(whole) ? 1 : 0);
  }

  Window window_;
  std::vector<Light> pixels_;
};

}  // namespace limpid::detail
