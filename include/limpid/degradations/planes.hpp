#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

// Plain loops over float planes: degradations run on the worker threads of a data loader, where
// the parallel operators of ATen would fight for the cores.
namespace limpid::detail {

inline constexpr std::int64_t kMinDegradedSide = 16;

/// The photograph as contiguous floats on the CPU.
/// "Haze: expected image (3, H, W) of float, got [1, 3, 64, 64] of double"
inline at::Tensor photograph(std::string_view component, const at::Tensor& image) {
  TORCH_CHECK_VALUE(image.defined() && image.dim() == 3 && image.size(0) == 3 &&
                        image.scalar_type() == at::kFloat && image.device().is_cpu(),
                    component, ": expected image (3, H, W) of Float on cpu, got ",
                    image.defined() ? image.sizes() : at::IntArrayRef{}, " of ",
                    image.defined() ? toString(image.scalar_type()) : "nothing", " on ",
                    image.defined() ? image.device().str() : "no device");
  TORCH_CHECK_VALUE(image.size(1) >= kMinDegradedSide && image.size(2) >= kMinDegradedSide,
                    component, ": expected sides of at least ", kMinDegradedSide, " pixels, got ",
                    image.sizes());
  return image.detach().contiguous();
}

/// A fresh float tensor of the same size.
inline at::Tensor empty_like_photograph(const at::Tensor& image) {
  return at::empty(image.sizes(), at::TensorOptions{}.dtype(at::kFloat));
}

/// Index into `count` values mirrored at both ends without repeating them, for any integer.
inline std::int64_t mirrored(std::int64_t index, std::int64_t count) {
  if (count == 1) return 0;
  const auto period = 2 * (count - 1);
  index %= period;
  if (index < 0) index += period;
  return index < count ? index : period - index;
}

/// 0 below 0, 1 above 1, smooth between.
inline float smooth_step(float x) {
  x = std::clamp(x, 0.0f, 1.0f);
  return x * x * (3.0f - 2.0f * x);
}

/// Three planes of floats, row by row.
struct Planes {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<float> values;

  Planes(std::int64_t rows, std::int64_t columns)
      : height(rows), width(columns), values(static_cast<std::size_t>(3 * rows * columns)) {}

  const float* plane(std::int64_t channel) const {
    return values.data() + channel * height * width;
  }
  float* plane(std::int64_t channel) { return values.data() + channel * height * width; }
};

/// Means of 2 x 2 pixels; the last row and column stand twice where a side is odd.
inline Planes halved(const float* image, std::int64_t height, std::int64_t width) {
  Planes half{(height + 1) / 2, (width + 1) / 2};
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t y = 0; y < half.height; ++y) {
      const auto* upper = image + (c * height + 2 * y) * width;
      const auto* lower = image + (c * height + std::min(2 * y + 1, height - 1)) * width;
      auto* out = half.plane(c) + y * half.width;
      for (std::int64_t x = 0; x < half.width; ++x) {
        const auto right = std::min(2 * x + 1, width - 1);
        out[x] = 0.25f * (upper[2 * x] + upper[right] + lower[2 * x] + lower[right]);
      }
    }
  }
  return half;
}

}  // namespace limpid::detail
