#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/degradations/frame_average.hpp>
#include <limpid/degradations/planes.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <vector>

// Building blocks of `BatchDegradation`: each is a few kernels for the whole batch, whatever the
// device, and none waits for it.

#ifdef LIMPID_BODIES
#include <limpid/core/tf32.hpp>

#include <ATen/TensorOperators.h>

#include <cmath>
#endif

namespace limpid {

/// Numbers that were drawn on the CPU, as a tensor of `shape` on `device`. The copy waits for
/// nothing that the device still has to do.
template <class Number>
at::Tensor numbers_on(c10::Device device, const std::vector<Number>& numbers,
                      at::IntArrayRef shape) {
  auto values = at::empty(shape, at::TensorOptions()
                                     .dtype(c10::CppTypeToScalarType<Number>::value)
                                     .pinned_memory(device.is_cuda()));
  TORCH_CHECK_VALUE(values.numel() == static_cast<std::int64_t>(numbers.size()),
                    "numbers_on: expected ", values.numel(), " numbers, got ", numbers.size());
  std::copy(numbers.begin(), numbers.end(), values.template data_ptr<Number>());
  return values.to(values.options().device(device).pinned_memory(false), /*non_blocking=*/true);
}

/// One number for each picture of a batch, (N, 1, 1, 1).
LIMPID_INLINE at::Tensor for_each_picture(const at::Tensor& images,
                                          const std::vector<float>& numbers);

/// Lines `from`, `from` + 1 ... of a picture with `side` lines that is mirrored at its borders.
LIMPID_INLINE at::Tensor mirrored_lines(std::int64_t side, std::int64_t from, std::int64_t count,
                                        c10::Device device);

/// (N, C, H, W) with `margin` more pixels on each side, mirrored as often as it takes.
LIMPID_INLINE at::Tensor with_mirrored_margin(const at::Tensor& images, std::int64_t margin);

/// Correlates each picture with a kernel of its own, the same for its channels; borders are
/// mirrored. out(p) = sum of kernel(q) images(p + q - centre).
///
/// @param kernels  (N, K, L) float, K and L odd, on the device of `images` (N, C, H, W).
LIMPID_INLINE at::Tensor correlated(const at::Tensor& images, const at::Tensor& kernels);

/// Kernels of different odd sides as one tensor (N, K, K) with zeros around the smaller ones.
///
/// @param kernels  square, on the CPU.
LIMPID_INLINE at::Tensor stacked_kernels(const std::vector<at::Tensor>& kernels,
                                         c10::Device device);

/// Gaussian blur, of each picture with a deviation of its own in pixels; 0 leaves it as it is.
/// Kernels end at three deviations of the largest; borders are mirrored.
LIMPID_INLINE at::Tensor gaussian_blurred(const at::Tensor& images,
                                          const std::vector<float>& deviations);

/// The colours at places between pixels, bilinear; beyond the borders the picture is mirrored.
///
/// @param rows, columns  (N, H', W') float, in pixels: 0 is the middle of the first.
/// @return               (N, C, H', W').
LIMPID_INLINE at::Tensor sampled_at(const at::Tensor& images, const at::Tensor& rows,
                                    const at::Tensor& columns);

/// Stored values in [0, 1] -> light, as `ResponseCurve::light` of each.
LIMPID_INLINE at::Tensor light_of(const at::Tensor& stored, const ResponseCurve& curve);

/// Light -> stored values, as `ResponseCurve::stored` of each.
LIMPID_INLINE at::Tensor stored_of(const at::Tensor& light, const ResponseCurve& curve);

/// As a file of 8 bits keeps them: values in [0, 1] rounded to whole 255ths.
LIMPID_INLINE at::Tensor eight_bit_values(const at::Tensor& images);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor for_each_picture(const at::Tensor& images,
                                          const std::vector<float>& numbers) {
  return numbers_on(images.device(), numbers, {images.size(0), 1, 1, 1});
}

LIMPID_INLINE at::Tensor mirrored_lines(std::int64_t side, std::int64_t from, std::int64_t count,
                                        c10::Device device) {
  std::vector<std::int64_t> lines(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    lines[static_cast<std::size_t>(i)] = detail::mirrored(from + i, side);
  }
  return numbers_on(device, lines, {count});
}

LIMPID_INLINE at::Tensor with_mirrored_margin(const at::Tensor& images, std::int64_t margin) {
  if (margin == 0) return images;
  const auto lines = [&](std::int64_t side) {
    return mirrored_lines(side, -margin, side + 2 * margin, images.device());
  };
  return images.index_select(2, lines(images.size(2))).index_select(3, lines(images.size(3)));
}

LIMPID_INLINE at::Tensor correlated(const at::Tensor& images, const at::Tensor& kernels) {
  const auto count = images.size(0);
  const auto up = kernels.size(1) / 2;
  const auto left = kernels.size(2) / 2;
  const auto margin = std::max(up, left);
  // The pictures are the channels of a grouped convolution, so that each meets its kernel.
  auto padded = with_mirrored_margin(images.transpose(0, 1), margin);
  padded = padded.narrow(2, margin - up, images.size(2) + 2 * up)
               .narrow(3, margin - left, images.size(3) + 2 * left);
  const TF32Scope exact{false, images.device()};
  return at::conv2d(padded, kernels.unsqueeze(1), {}, at::IntArrayRef{1}, at::IntArrayRef{0},
                    at::IntArrayRef{1}, count)
      .transpose(0, 1);
}

LIMPID_INLINE at::Tensor stacked_kernels(const std::vector<at::Tensor>& kernels,
                                         c10::Device device) {
  std::int64_t side = 1;
  for (const auto& kernel : kernels) side = std::max(side, kernel.size(0));
  const auto count = static_cast<std::int64_t>(kernels.size());
  std::vector<float> values(static_cast<std::size_t>(count * side * side));
  for (std::int64_t n = 0; n < count; ++n) {
    const auto kernel = kernels[static_cast<std::size_t>(n)].contiguous();
    const auto own = kernel.size(0);
    const auto margin = (side - own) / 2;
    for (std::int64_t y = 0; y < own; ++y) {
      std::copy_n(kernel.data_ptr<float>() + y * own, own,
                  values.data() + (n * side + y + margin) * side + margin);
    }
  }
  return numbers_on(device, values, {count, side, side});
}

LIMPID_INLINE at::Tensor gaussian_blurred(const at::Tensor& images,
                                          const std::vector<float>& deviations) {
  const auto largest = *std::max_element(deviations.begin(), deviations.end());
  const auto radius = static_cast<std::int64_t>(std::ceil(3 * largest));
  if (radius <= 0) return images;
  const auto side = 2 * radius + 1;
  std::vector<float> taps;
  for (const auto deviation : deviations) {
    const auto first = taps.end() - taps.begin();
    double sum = 0;
    for (auto at = -radius; at <= radius; ++at) {
      const auto steps = deviation > 0 ? static_cast<double>(at) / deviation : at == 0 ? 0 : 1e3;
      taps.push_back(static_cast<float>(std::exp(-0.5 * steps * steps)));
      sum += taps.back();
    }
    std::transform(taps.begin() + first, taps.end(), taps.begin() + first,
                   [&](float tap) { return static_cast<float>(tap / sum); });
  }
  const auto line = numbers_on(images.device(), taps, {images.size(0), side});
  return correlated(correlated(images, line.unsqueeze(2)), line.unsqueeze(1));
}

LIMPID_INLINE at::Tensor sampled_at(const at::Tensor& images, const at::Tensor& rows,
                                    const at::Tensor& columns) {
  const auto scaled = [](const at::Tensor& at, std::int64_t side) {
    return side == 1 ? at * 0 : at * (2.0 / static_cast<double>(side - 1)) - 1;
  };
  constexpr std::int64_t kBilinear = 0;
  constexpr std::int64_t kReflection = 2;
  const auto grid = at::stack({scaled(columns, images.size(3)), scaled(rows, images.size(2))}, 3);
  return at::grid_sampler(images, grid, kBilinear, kReflection, /*align_corners=*/true);
}

LIMPID_INLINE at::Tensor light_of(const at::Tensor& stored, const ResponseCurve& curve) {
  const auto values = stored.clamp_min(0);
  if (curve.is_srgb()) {
    return at::where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055).pow(2.4));
  }
  return curve.exponent() == 1 ? values : values.pow(curve.exponent());
}

LIMPID_INLINE at::Tensor stored_of(const at::Tensor& light, const ResponseCurve& curve) {
  const auto values = light.clamp_min(0);
  if (curve.is_srgb()) {
    return at::where(values <= 0.0031308, values * 12.92, values.pow(1 / 2.4) * 1.055 - 0.055);
  }
  return curve.exponent() == 1 ? values : values.pow(1 / curve.exponent());
}

LIMPID_INLINE at::Tensor eight_bit_values(const at::Tensor& images) {
  return (images * 255 + 0.5).floor_().clamp_(0, 255).div_(255);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
