#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/image.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <array>
#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#endif

namespace limpid {

/// How the values that a camera stores follow from light; both in [0, 1].
class ResponseCurve {
 public:
  /// Stored values are taken for light.
  static ResponseCurve none() { return ResponseCurve{Kind::power, 1.0}; }

  /// stored = light ^ (1 / gamma); GoPro's "blur_gamma" has 2.2.
  /// @throws c10::ValueError if gamma is not positive.
  static ResponseCurve gamma(double gamma = 2.2);

  /// The transfer function of sRGB. Source: IEC 61966-2-1.
  static ResponseCurve srgb() { return ResponseCurve{Kind::srgb, 1.0}; }

  double light(double stored) const;

  double stored(double light) const;

  bool is_srgb() const { return kind_ == Kind::srgb; }
  double exponent() const { return gamma_; }  ///< light = stored ^ exponent, unless `is_srgb()`

 private:
  enum class Kind { power, srgb };
  ResponseCurve(Kind kind, double gamma) : kind_(kind), gamma_(gamma) {}

  Kind kind_;
  double gamma_;
};

/// The mean of successive frames, which is what a longer exposure would have seen.
///
/// Source: Nah, Kim and Lee, CVPR 2017, sec. 2.1: 7 to 13 frames of a 240 fps camera; "blur" of
/// that set is the mean of stored values, "blur_gamma" that of light behind a curve of gamma 2.2.
class FrameAverage {
 public:
  explicit FrameAverage(ResponseCurve curve = ResponseCurve::none());

  /// @throws c10::ValueError if the frame is empty or differs in size from those before it.
  void add(const Image& frame);

  /// Frames that were added.
  std::int64_t frames() const { return frames_; }

  /// @throws c10::Error if no frame was added.
  Image mean() const;

 private:
  ResponseCurve curve_;
  std::array<double, 256> light_{};
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
  std::int64_t frames_ = 0;
  std::vector<double> sums_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ResponseCurve ResponseCurve::gamma(double gamma) {
  detail::check_positive("ResponseCurve: gamma", gamma);
  return ResponseCurve{Kind::power, gamma};
}

LIMPID_INLINE double ResponseCurve::light(double stored) const {
  if (kind_ == Kind::power) return gamma_ == 1.0 ? stored : std::pow(stored, gamma_);
  return stored <= 0.04045 ? stored / 12.92 : std::pow((stored + 0.055) / 1.055, 2.4);
}

LIMPID_INLINE double ResponseCurve::stored(double light) const {
  if (kind_ == Kind::power) return gamma_ == 1.0 ? light : std::pow(light, 1 / gamma_);
  return light <= 0.0031308 ? 12.92 * light : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
}

LIMPID_INLINE FrameAverage::FrameAverage(ResponseCurve curve) : curve_(curve) {
  for (std::size_t i = 0; i < light_.size(); ++i) {
    light_[i] = curve_.light(static_cast<double>(i) / 255.0);
  }
}

LIMPID_INLINE void FrameAverage::add(const Image& frame) {
  TORCH_CHECK_VALUE(!frame.empty(), "FrameAverage: expected a picture, got an empty one");
  if (frames_ == 0) {
    height_ = frame.height();
    width_ = frame.width();
    sums_.assign(static_cast<std::size_t>(height_ * width_ * 3), 0.0);
  }
  TORCH_CHECK_VALUE(frame.height() == height_ && frame.width() == width_, "FrameAverage: expected ",
                    width_, " x ", height_, " pixels, got ", frame.width(), " x ", frame.height());
  const auto* in = frame.data();
  for (auto& sum : sums_) sum += light_[*in++];
  ++frames_;
}

LIMPID_INLINE Image FrameAverage::mean() const {
  TORCH_CHECK(frames_ > 0, "FrameAverage: expected at least one frame");
  auto pixels = at::empty({height_, width_, 3}, at::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  for (const auto sum : sums_) {
    const auto value = curve_.stored(sum / static_cast<double>(frames_));
    *out++ = static_cast<std::uint8_t>(std::clamp(255.0 * value + 0.5, 0.0, 255.0));
  }
  return Image{pixels};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
