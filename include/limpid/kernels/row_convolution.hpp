#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/ops/conv2d.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/kernels/convolution.hpp>

#include <array>
#endif

namespace limpid {

namespace detail {

/// Whether a convolution of so many outputs is at most half the work when the rows of its kernel
/// are outputs of their own: machines compute outputs by sixteens, and three of sixteen are mostly
/// zeros.
LIMPID_INLINE bool rows_pay(std::int64_t in, std::int64_t out, std::int64_t kernel);

/// Whether a convolution of stride 1 may be computed row by row of its kernel.
LIMPID_INLINE bool may_be_in_rows(const at::Tensor& input, const at::Tensor& weight,
                                  const at::Tensor& bias);

}  // namespace detail

/// A convolution of stride 1 with a large kernel to few channels, one row of the kernel after the
/// other: a convolution by rows alone gives a map for each output and row, and the maps are added,
/// each from its own line on. Made of LibTorch's operators, so all gradients are there.
///
/// @param input    (N, C, H, W).
/// @param weight   (K, C, kernel, kernel).
/// @param bias     (K), or undefined.
/// @param padding  zeros on each side; the kernel fits into the padded input.
/// @return         (N, K, H + 2 padding - kernel + 1, W + 2 padding - kernel + 1).
LIMPID_INLINE at::Tensor convolution_in_rows(const at::Tensor& input, const at::Tensor& weight,
                                             const at::Tensor& bias, std::int64_t padding);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE bool rows_pay(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  const auto filled = [](std::int64_t channels) { return (channels + 15) / 16 * 16; };
  return kernel >= 5 && in >= 16 && 2 * filled(out * kernel) <= kernel * filled(out);
}

LIMPID_INLINE bool may_be_in_rows(const at::Tensor& input, const at::Tensor& weight,
                                  const at::Tensor& bias) {
  return ConvolutionScope::in_force() == Convolution::fast && is_fast_input(input) &&
         is_plain_float(weight) && input.dim() == 4 && weight.dim() == 4 &&
         weight.size(1) == input.size(1) && weight.size(2) == weight.size(3) &&
         rows_pay(weight.size(1), weight.size(0), weight.size(2)) &&
         (!bias.defined() ||
          (is_plain_float(bias) && bias.dim() == 1 && bias.size(0) == weight.size(0))) &&
         may_leave_libtorch();
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor convolution_in_rows(const at::Tensor& input, const at::Tensor& weight,
                                             const at::Tensor& bias, std::int64_t padding) {
  const auto out = weight.size(0), in = weight.size(1), kernel = weight.size(2);
  const auto rows = weight.permute({0, 2, 1, 3}).reshape({out * kernel, in, 1, kernel});
  const auto maps = at::conv2d(input, rows, {}, 1, padding).contiguous();
  const auto height = maps.size(2), width = maps.size(3), area = height * width;
  // Row r of the kernel contributes to line y what its map has in line y + r.
  const auto sizes = std::array{maps.size(0), out, kernel, height - kernel + 1, width};
  const auto strides =
      std::array{out * kernel * area, kernel * area, area + width, width, std::int64_t{1}};
  const auto sum = maps.as_strided(sizes, strides).sum(2);
  return bias.defined() ? (sum + bias.view({1, -1, 1, 1})).to(maps.scalar_type()) : sum;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
