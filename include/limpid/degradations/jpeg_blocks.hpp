#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/degradations/batch_tensors.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <cstddef>
#include <cstdint>
#include <vector>

// What JPEG loses, on tensors: colours, blocks, cosines, rounding, and the way back. Nothing is
// written. Source: ITU-T T.81 (tables of annex K.1), T.871 (colours); libjpeg's scale of quality.

#ifdef LIMPID_BODIES
#include <limpid/core/tf32.hpp>
#include <limpid/io/formats/jpeg_steps.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#endif

namespace limpid::detail {

/// Levels (N, 1, H, W), both sides multiples of 8, after their blocks' cosines were rounded to
/// steps.
///
/// @param steps  (N, 8, 8), of each picture
LIMPID_INLINE at::Tensor with_rounded_cosines(const at::Tensor& levels, const at::Tensor& steps);

/// Twice as many lines along `dim`, each 3/4 of the nearer and 1/4 of the farther neighbour, as
/// libjpeg does.
LIMPID_INLINE at::Tensor doubled_lines(const at::Tensor& values, std::int64_t dim);

/// What is left of pictures (N, 3, H, W) in [0, 1], both sides multiples of 16, as JPEG files.
///
/// @param qualities  1 to 100, of each picture
/// @param coarse     of each picture, whether its colours have half the resolution
LIMPID_INLINE at::Tensor through_jpeg_blocks(const at::Tensor& images,
                                             const std::vector<int>& qualities,
                                             const std::vector<bool>& coarse);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor with_rounded_cosines(const at::Tensor& levels, const at::Tensor& steps) {
  const auto count = levels.size(0);
  const auto rows = levels.size(2) / 8;
  const auto columns = levels.size(3) / 8;
  std::vector<float> cosines(64);
  for (int k = 0; k < 8; ++k) {
    for (int x = 0; x < 8; ++x) {
      const auto cosine = std::cos((2 * x + 1) * k * std::numbers::pi / 16);
      cosines[static_cast<std::size_t>(8 * k + x)] =
          static_cast<float>(cosine * (k == 0 ? std::sqrt(0.125) : 0.5));
    }
  }
  const auto to_cosines = numbers_on(levels.device(), cosines, {8, 8});
  const TF32Scope exact{false, levels.device()};
  const auto blocks = (levels - 128).reshape({count, rows, 8, columns, 8}).permute({0, 1, 3, 2, 4});
  const auto step = steps.reshape({count, 1, 1, 8, 8});
  const auto amounts = at::matmul(at::matmul(to_cosines, blocks), to_cosines.t());
  // libjpeg has eighths, and rounds halves away from zero.
  const auto eighths = (amounts * 8).round() / 8;
  const auto rounded = eighths.sign() * (eighths.abs() / step + 0.5).floor() * step;
  return at::matmul(at::matmul(to_cosines.t(), rounded), to_cosines)
      .permute({0, 1, 3, 2, 4})
      .reshape(levels.sizes())
      .add(128)
      .round()
      .clamp(0, 255);
}

LIMPID_INLINE at::Tensor doubled_lines(const at::Tensor& values, std::int64_t dim) {
  const auto side = values.size(dim);
  const auto first = values.narrow(dim, 0, 1);
  const auto last = values.narrow(dim, side - 1, 1);
  const auto before = at::cat({first, values.narrow(dim, 0, side - 1)}, dim);
  const auto after = at::cat({values.narrow(dim, 1, side - 1), last}, dim);
  const auto pairs =
      at::stack({0.75 * values + 0.25 * before, 0.75 * values + 0.25 * after}, dim + 1);
  auto sizes = values.sizes().vec();
  sizes[static_cast<std::size_t>(dim)] *= 2;
  return pairs.reshape(sizes);
}

LIMPID_INLINE at::Tensor through_jpeg_blocks(const at::Tensor& images,
                                             const std::vector<int>& qualities,
                                             const std::vector<bool>& coarse) {
  const auto count = images.size(0);
  const auto device = images.device();
  std::vector<float> luma_steps, colour_steps, is_coarse;
  for (std::size_t n = 0; n < qualities.size(); ++n) {
    const auto luma = jpeg_steps(qualities[n], true);
    const auto colours = jpeg_steps(qualities[n], false);
    luma_steps.insert(luma_steps.end(), luma.begin(), luma.end());
    colour_steps.insert(colour_steps.end(), colours.begin(), colours.end());
    is_coarse.push_back(coarse[n] ? 1 : 0);
  }
  const auto for_luma = numbers_on(device, luma_steps, {count, 8, 8});
  const auto for_colours = numbers_on(device, colour_steps, {count, 8, 8});
  const auto halved = for_each_picture(images, is_coarse) > 0.5;

  const auto levels = eight_bit_values(images) * 255;
  const auto red = levels.narrow(1, 0, 1);
  const auto green = levels.narrow(1, 1, 1);
  const auto blue = levels.narrow(1, 2, 1);
  const auto luma = (0.299 * red + 0.587 * green + 0.114 * blue).round();
  const auto coded_colour = [&](const at::Tensor& colour) {
    const auto fine = with_rounded_cosines(colour, for_colours);
    const auto small = with_rounded_cosines(at::avg_pool2d(colour, 2).round(), for_colours);
    const auto enlarged = doubled_lines(doubled_lines(small, 2), 3).round();
    return at::where(halved, enlarged, fine) - 128;
  };
  const auto y = with_rounded_cosines(luma, for_luma);
  const auto cb = coded_colour(
      (128 - 0.168735892 * red - 0.331264108 * green + 0.5 * blue).round().clamp(0, 255));
  const auto cr = coded_colour(
      (128 + 0.5 * red - 0.418687589 * green - 0.081312411 * blue).round().clamp(0, 255));
  return at::cat({y + 1.402 * cr, y - 0.344136286 * cb - 0.714136286 * cr, y + 1.772 * cb}, 1)
      .round()
      .clamp(0, 255)
      .div(255);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
