#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/frame_average.hpp>
#include <limpid/degradations/motion_kernel.hpp>
#include <limpid/degradations/planes.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/degradations/batch_tensors.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#endif

namespace limpid {

namespace detail {

/// Correlates one plane, mirrored at its borders, with the taps of a kernel.
class SparseBlur {
 public:
  /// @param kernel  a `MotionKernel` or an `ApertureKernel`
  template <class Kernel>
  SparseBlur(const Kernel& kernel, std::int64_t height, std::int64_t width)
      : height_(height),
        width_(width),
        radius_(kernel.radius()),
        stride_(width + 2 * radius_),
        padded_(static_cast<std::size_t>((height + 2 * radius_) * stride_)) {
    for (const auto& tap : kernel.taps()) {
      offsets_.push_back((tap.dy + radius_) * stride_ + tap.dx + radius_);
      weights_.push_back(tap.weight);
    }
    // Four taps at a time; those that fill up the last four weigh nothing.
    while (offsets_.size() % 4 != 0) {
      offsets_.push_back(offsets_.back());
      weights_.push_back(0.0f);
    }
  }

  void operator()(const float* plane, float* out);

 private:
  void pad(const float* plane);

  void add_four(float* __restrict row, std::int64_t start, std::size_t t) const;

  std::int64_t height_;
  std::int64_t width_;
  std::int64_t radius_;
  std::int64_t stride_;
  std::vector<float> padded_;
  std::vector<std::int64_t> offsets_;
  std::vector<float> weights_;
};

}  // namespace detail

/// The gamma with which values are blurred as they are stored.
inline constexpr double kStoredValues = 1.0;

/// Blurs a photograph with a kernel: the value at p becomes the sum of weight * image(p + offset),
/// the image mirrored at its borders.
///
/// @param image  (3, H, W) float in [0, 1].
/// @param gamma  1: the stored values are blurred, as in the papers; 2.2: light is, that is values
///               to the power of gamma, as a real shutter does.
/// @return       same shape, in [0, 1].
/// @throws c10::ValueError if `image` has another shape or type, or `gamma` is not positive.
LIMPID_INLINE at::Tensor motion_blur(const at::Tensor& image, const MotionKernel& kernel,
                                     double gamma = kStoredValues);

/// Camera shake: each call draws a path and blurs the whole photograph along it.
///
/// Source: Boracchi and Foi 2012 and Kupyn et al. 2018 (`motion_trajectory`).
/// Differs: the kernel sums to 1, is centred on its centroid, and the border is mirrored; the size
/// of a blur is drawn directly, and does not depend on how tangled the path is.
struct MotionBlur {
  Interval size{7, 17};           ///< longer side of the box around the whole path, pixels
  Interval anxiety{0.001, 0.01};  ///< of the path: 0 is a straight line, see `motion_trajectory`
  Interval exposure{0.7, 1};      ///< part of the path during which the shutter is open
  double gamma = kStoredValues;   ///< 2.2 blurs light in place of stored values

  static void each_option(auto& self, auto&& visit) {
    visit("size", self.size, "longer side of the camera's path, pixels");
    visit("anxiety", self.anxiety, "how tangled the path is; 0: a straight line");
    visit("exposure", self.exposure, "part of the path during which the shutter is open");
    visit("gamma", self.gamma, "2.2 blurs light, 1 stored values");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// What one call does to a photograph.
  struct Drawn {
    MotionKernel kernel;
    double gamma = kStoredValues;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window&) const;
  };

  Drawn drawn_for(std::int64_t, std::int64_t, Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// Taps lie at most the longer side of the path from its centroid, and are shared with the next
  /// pixel.
  std::int64_t batch_margin() const;

  /// A kernel as `operator()` draws it.
  MotionKernel kernel(Random& random) const;
};

static_assert(DegradationWithOptions<MotionBlur> && PartwiseDegradation<MotionBlur>);
static_assert(BatchDegradation<MotionBlur>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void SparseBlur::operator()(const float* plane, float* out) {
  pad(plane);
  for (std::int64_t y = 0; y < height_; ++y) {
    auto* row = out + y * width_;
    std::fill_n(row, width_, 0.0f);
    for (std::size_t t = 0; t < offsets_.size(); t += 4) add_four(row, y * stride_, t);
  }
}

LIMPID_INLINE void SparseBlur::pad(const float* plane) {
  for (std::int64_t y = 0; y < height_ + 2 * radius_; ++y) {
    const auto* from = plane + mirrored(y - radius_, height_) * width_;
    auto* to = padded_.data() + y * stride_;
    for (std::int64_t x = 0; x < radius_; ++x) to[x] = from[mirrored(x - radius_, width_)];
    std::copy_n(from, width_, to + radius_);
    for (std::int64_t x = 0; x < radius_; ++x) {
      to[radius_ + width_ + x] = from[mirrored(width_ + x, width_)];
    }
  }
}

LIMPID_INLINE void SparseBlur::add_four(float* __restrict row, std::int64_t start,
                                        std::size_t t) const {
  const float* __restrict a = padded_.data() + start + offsets_[t];
  const float* __restrict b = padded_.data() + start + offsets_[t + 1];
  const float* __restrict c = padded_.data() + start + offsets_[t + 2];
  const float* __restrict d = padded_.data() + start + offsets_[t + 3];
  const auto wa = weights_[t];
  const auto wb = weights_[t + 1];
  const auto wc = weights_[t + 2];
  const auto wd = weights_[t + 3];
  for (std::int64_t x = 0; x < width_; ++x) {
    row[x] += (wa * a[x] + wb * b[x]) + (wc * c[x] + wd * d[x]);
  }
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor motion_blur(const at::Tensor& image, const MotionKernel& kernel,
                                     double gamma) {
  detail::check_positive("motion_blur: gamma", gamma);
  const auto clean = detail::photograph("motion_blur", image);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  const auto pixels = height * width;
  auto blurred = detail::empty_like_photograph(clean);

  detail::SparseBlur blur{kernel, height, width};
  std::vector<float> light;
  const auto exponent = static_cast<float>(gamma);
  for (std::int64_t c = 0; c < 3; ++c) {
    const auto* in = clean.data_ptr<float>() + c * pixels;
    auto* out = blurred.data_ptr<float>() + c * pixels;
    if (gamma != kStoredValues) {
      light.resize(static_cast<std::size_t>(pixels));
      std::transform(in, in + pixels, light.begin(),
                     [exponent](float v) { return std::pow(std::max(v, 0.0f), exponent); });
      in = light.data();
    }
    blur(in, out);
    if (gamma != kStoredValues) {
      std::transform(out, out + pixels, out,
                     [exponent](float v) { return std::pow(v, 1.0f / exponent); });
    }
    std::transform(out, out + pixels, out, [](float v) { return std::clamp(v, 0.0f, 1.0f); });
  }
  return blurred;
}

LIMPID_INLINE void MotionBlur::check() const {
  detail::check_positive("MotionBlur: size", size);
  detail::check_within("MotionBlur: size", size, {0, 4096});
  detail::check_not_negative("MotionBlur: anxiety", anxiety);
  detail::check_positive("MotionBlur: exposure", exposure);
  detail::check_within("MotionBlur: exposure", exposure, {0, 1});
  detail::check_positive("MotionBlur: gamma", gamma);
}

LIMPID_INLINE at::Tensor MotionBlur::Drawn::operator()(const at::Tensor& pixels,
                                                       const Window&) const {
  return motion_blur(pixels, kernel, gamma);
}

LIMPID_INLINE MotionBlur::Drawn MotionBlur::drawn_for(std::int64_t, std::int64_t,
                                                      Random& random) const {
  auto drawn = kernel(random);
  const auto margin = drawn.radius();
  return {std::move(drawn), gamma, margin};
}

LIMPID_INLINE at::Tensor MotionBlur::operator()(const at::Tensor& image, Random& random) const {
  return motion_blur(image, kernel(random), gamma);
}

LIMPID_INLINE at::Tensor MotionBlur::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("MotionBlur", images);
  std::vector<at::Tensor> kernels;
  for (std::int64_t i = 0; i < clean.size(0); ++i) kernels.push_back(kernel(random).dense());
  const auto curve = ResponseCurve::gamma(gamma);
  const auto light = correlated(light_of(clean, curve), stacked_kernels(kernels, clean.device()));
  return stored_of(light, curve).clamp(0, 1);
}

LIMPID_INLINE std::int64_t MotionBlur::batch_margin() const {
  return static_cast<std::int64_t>(size.high()) + 1;
}

LIMPID_INLINE MotionKernel MotionBlur::kernel(Random& random) const {
  check();
  const auto longer_side = size.draw(random);
  const auto drawn_anxiety = anxiety.draw(random);
  const auto open = exposure.draw(random);
  auto path = motion_trajectory(64.0, random, {.anxiety = drawn_anxiety});

  double left = 0, right = 0, top = 0, bottom = 0;
  for (const auto& position : path) {
    left = std::min(left, position.real());
    right = std::max(right, position.real());
    top = std::min(top, position.imag());
    bottom = std::max(bottom, position.imag());
  }
  const auto scale = longer_side / std::max({right - left, bottom - top, 1e-9});
  const auto points = std::lround(open * static_cast<double>(path.size()));
  path.resize(static_cast<std::size_t>(std::max(1L, points)));
  for (auto& position : path) position *= scale;
  return MotionKernel{path};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
