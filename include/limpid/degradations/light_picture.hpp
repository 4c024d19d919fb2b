#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/light_curve.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/pose_path.hpp>

#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <algorithm>
#endif

namespace limpid::detail {

/// Four floats that the machine adds and multiplies at once.
typedef float FourFloats __attribute__((vector_size(16)));

/// Red, green and blue light of a pixel, and how much of it covers what is behind.
struct Light {
  FourFloats part;
};

/// Places between the pixels of a `LightPicture`, for a row of pixels that shows them.
class SampleRow {
 public:
  explicit SampleRow(std::int64_t length)
      : offsets_(static_cast<std::size_t>(length)), right_(offsets_.size()), down_(right_) {}

  /// Where the pixels (left + i, y), i from `from` to `to`, lie in a picture of the window.
  void locate(const PoseWarp& warp, const Window& window, std::int64_t left, std::int64_t y,
              std::int64_t from, std::int64_t to);

  /// The largest whole number that is not above.
  static std::int32_t below(float number);

 private:
  friend class LightPicture;
  std::vector<std::int32_t> offsets_;
  std::vector<float> right_, down_;
};

/// The light of a window of a picture, which may reach beyond the picture's borders.
class LightPicture {
 public:
  explicit LightPicture(const Window& window)
      : window_(window), pixels_(static_cast<std::size_t>(window.height * window.width)) {}

  const Window& window() const { return window_; }

  /// Row `y` of the picture, from the window's first column on.
  Light* row(std::int64_t y);

  const Light& pixel(std::int64_t x, std::int64_t y) const;

  /// Between four pixels, linearly; at the window's border where a place lies outside.
  Light sample(const SampleRow& places, std::size_t i) const;

  Light sample(PicturePoint at) const;

  /// Fills the window with the light of a photograph, mirrored at the borders of the picture.
  ///
  /// @param stored   (3, H, W): the pixels of the window `seen` of the picture
  /// @param gain     brightness of white that was clipped (`highlight_gain`)
  void fill(const float* stored, const Window& seen, std::int64_t height, std::int64_t width,
            const LightCurve& curve, float gain);

 private:
  Light between(std::int64_t offset, float right, float down) const;

  Window window_;
  std::vector<Light> pixels_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void SampleRow::locate(const PoseWarp& warp, const Window& window, std::int64_t left,
                                     std::int64_t y, std::int64_t from, std::int64_t to) {
  const auto stride = static_cast<std::int32_t>(window.width);
  const auto first_column = static_cast<std::int32_t>(window.left);
  const auto first_row = static_cast<std::int32_t>(window.top);
  const auto last_column = stride - 2;
  const auto last_row = static_cast<std::int32_t>(window.height) - 2;
  auto* __restrict offsets = offsets_.data();
  auto* __restrict right = right_.data();
  auto* __restrict down = down_.data();
  for (auto i = static_cast<std::int32_t>(from); i < static_cast<std::int32_t>(to); ++i) {
    const auto at = warp(static_cast<float>(static_cast<std::int32_t>(left) + i),
                         static_cast<float>(static_cast<std::int32_t>(y)));
    const auto x = below(at.x);
    const auto row = below(at.y);
    right[i] = at.x - static_cast<float>(x);
    down[i] = at.y - static_cast<float>(row);
    offsets[i] = std::clamp(row - first_row, 0, last_row) * stride +
                 std::clamp(x - first_column, 0, last_column);
  }
}

LIMPID_INLINE std::int32_t SampleRow::below(float number) {
  const auto whole = static_cast<std::int32_t>(number);
  return whole - (number < static_cast<float>(whole) ? 1 : 0);
}

LIMPID_INLINE Light* LightPicture::row(std::int64_t y) {
  return pixels_.data() + (y - window_.top) * window_.width;
}

LIMPID_INLINE const Light& LightPicture::pixel(std::int64_t x, std::int64_t y) const {
  return pixels_[static_cast<std::size_t>((y - window_.top) * window_.width + x - window_.left)];
}

LIMPID_INLINE Light LightPicture::sample(const SampleRow& places, std::size_t i) const {
  return between(places.offsets_[i], places.right_[i], places.down_[i]);
}

LIMPID_INLINE Light LightPicture::sample(PicturePoint at) const {
  const auto x = SampleRow::below(at.x);
  const auto y = SampleRow::below(at.y);
  const auto column = std::clamp<std::int64_t>(x - window_.left, 0, window_.width - 2);
  const auto row = std::clamp<std::int64_t>(y - window_.top, 0, window_.height - 2);
  return between(row * window_.width + column, at.x - static_cast<float>(x),
                 at.y - static_cast<float>(y));
}

LIMPID_INLINE void LightPicture::fill(const float* stored, const Window& seen, std::int64_t height,
                                      std::int64_t width, const LightCurve& curve, float gain) {
  const auto plane = seen.height * seen.width;
  std::vector<std::int64_t> columns(static_cast<std::size_t>(window_.width));
  for (std::int64_t x = 0; x < window_.width; ++x) {
    const auto column = mirrored(window_.left + x, width) - seen.left;
    columns[static_cast<std::size_t>(x)] = std::clamp<std::int64_t>(column, 0, seen.width - 1);
  }
  for (auto y = window_.top; y < window_.bottom(); ++y) {
    const auto from = std::clamp<std::int64_t>(mirrored(y, height) - seen.top, 0, seen.height - 1);
    const auto* in = stored + from * seen.width;
    auto* out = row(y);
    for (std::int64_t x = 0; x < window_.width; ++x) {
      const auto* pixel = in + columns[static_cast<std::size_t>(x)];
      const auto r = pixel[0], g = pixel[plane], b = pixel[2 * plane];
      const auto more = gain == 1.0f ? 1.0f : highlight_gain(std::max({r, g, b}), gain);
      out[x].part =
          FourFloats{more * curve.light(r), more * curve.light(g), more * curve.light(b), 1.0f};
    }
  }
}

LIMPID_INLINE Light LightPicture::between(std::int64_t offset, float right, float down) const {
  const auto* upper = pixels_.data() + offset;
  const auto* lower = upper + window_.width;
  const auto above = upper[0].part + right * (upper[1].part - upper[0].part);
  const auto under = lower[0].part + right * (lower[1].part - lower[0].part);
  return {above + down * (under - above)};
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
