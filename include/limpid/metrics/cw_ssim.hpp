#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/metrics/eight_bit.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/fft_fft.h>
#include <ATen/ops/fft_ifft.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>
#include <vector>

namespace limpid {

/// What scripts of this field print as "CW-SSIM": `cw_ssim_value` of pyssim 0.3 to 0.7.
///
/// This is **not** the complex-wavelet SSIM of Sampat et al.: there are no complex wavelets in it.
/// The grey picture is read row after row as one real signal, which is convolved with thirty
/// Mexican hats, s = 1..30, of 10 s taps each, t = (i - (10 s - 1) / 2) / s:
/// 2 / (sqrt(3 s) pi^(1/4)) (1 - t^2) exp(-t^2 / 2), zeros outside the signal.
/// With a and b the transforms of the two pictures, sums over s and k = 0.01, every value scores
/// (2 |sum a b| + k) / (sum a^2 + sum b^2 + k), and the mean is over all values. (pyssim multiplies
/// that by (2 sum |a b| + k) and divides by the same.)
/// Source: the evaluation scripts of DeblurGAN and DeblurGAN-v2, which call pyssim; most likely
/// what Table 4.1 of the thesis prints as SSIM. Differs: pyssim 0.7.1 (2025) samples the hats in
/// another way, up to 1.2e-3 away.
struct PyssimCWSSIM {
  static constexpr std::string_view name = "cw_ssim";
  static constexpr std::string_view label = "CW-SSIM (pyssim)";
  static constexpr std::string_view protocol =
      "cw_ssim_value of pyssim 0.3 to 0.7, NOT the complex-wavelet SSIM of Sampat et al.: the grey "
      "picture (19595 R + 38470 G + 7471 B + 32768) >> 16 read row after row as one signal, real "
      "Mexican hats of scales 1 to 30, k 0.01, mean over all values, both pictures rounded to 8 "
      "bits";
  static constexpr bool higher_is_better = true;

  /// @param restored  (3, H, W) or (1, 3, H, W), values in [0, 1].
  /// @param target    of the same height and width.
  /// @return at most 1, for identical pictures.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const auto restored_bytes = detail::eight_bit("PyssimCWSSIM", restored);
    const auto target_bytes = detail::eight_bit("PyssimCWSSIM", target);
    detail::check_same_shape("PyssimCWSSIM", restored_bytes, target_bytes);
    const auto a = grey_signal(restored_bytes), b = grey_signal(target_bytes);

    // A hat is real, so that one complex convolution transforms both pictures: a + i b. Blocks of
    // the signal overlap by the longest hat and are convolved by FFT; all scales of a few blocks at
    // once keep the sums in the cache.
    const auto count = a.numel(), blocks = (count + kStep - 1) / kStep;
    const auto hats = at::fft_fft(hats_of(count));
    const auto signal = at::zeros({blocks * kStep + kBlock - kStep, 2}, at::kDouble);
    signal.select(1, 0).narrow(0, kReach, count).copy_(a);
    signal.select(1, 1).narrow(0, kReach, count).copy_(b);
    const auto windows = at::view_as_complex(signal).unfold(0, kBlock, kStep);

    double total = 0;
    std::vector<double> products, squares;
    for (std::int64_t first = 0; first < blocks; first += kTogether) {
      const auto together = std::min(kTogether, blocks - first);
      const auto spectra = at::fft_fft(windows.narrow(0, first, together).contiguous());
      products.assign(static_cast<std::size_t>(together * kStep), 0.0);
      squares.assign(products.size(), 0.0);
      for (std::int64_t s = 0; s < kScales; ++s) {
        const auto both = at::view_as_real(at::fft_ifft(spectra * hats[s])).contiguous();
        add(both, products, squares);
      }
      const auto left = static_cast<std::size_t>(count - first * kStep);
      for (std::size_t i = 0; i < std::min(left, products.size()); ++i) {
        total += (2 * std::abs(products[i]) + kK) / (squares[i] + kK);
      }
    }
    return total / static_cast<double>(count);
  }

 private:
  static constexpr std::int64_t kScales = 30;
  static constexpr std::int64_t kBlock = 4096;
  static constexpr std::int64_t kReach = 5 * kScales;         ///< of the longest hat, to the left
  static constexpr std::int64_t kStep = kBlock - 2 * kReach;  ///< new values of a block
  static constexpr std::int64_t kTogether = 8;                ///< blocks
  static constexpr double kK = 0.01;

  /// Luma in whole numbers as Pillow makes it, row after row.
  static at::Tensor grey_signal(const at::Tensor& rgb) {
    return ((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 32768) / 65536).floor().reshape(-1);
  }

  /// (30, kBlock) complex: each hat, turned round so that its middle stands at 0. A signal that is
  /// shorter than a hat shortens it, as scipy's `cwt` does.
  static at::Tensor hats_of(std::int64_t count) {
    const auto hats = at::zeros({kScales, kBlock, 2}, at::kDouble);
    auto* out = hats.data_ptr<double>();
    for (std::int64_t s = 1; s <= kScales; ++s, out += 2 * kBlock) {
      const auto scale = static_cast<double>(s);
      const auto taps = std::min(10 * s, count), middle = (taps - 1) / 2;
      const auto height = 2 / (std::sqrt(3 * scale) * std::pow(std::numbers::pi, 0.25));
      for (std::int64_t i = 0; i < taps; ++i) {
        const auto t = (static_cast<double>(i) - static_cast<double>(taps - 1) / 2) / scale;
        out[2 * ((i - middle + kBlock) % kBlock)] = height * (1 - t * t) * std::exp(-t * t / 2);
      }
    }
    return at::view_as_complex(hats);
  }

  /// @param both  (blocks, kBlock, 2): the transforms of the two pictures, at one scale.
  static void add(const at::Tensor& both, std::vector<double>& products,
                  std::vector<double>& squares) {
    for (std::int64_t block = 0; block < both.size(0); ++block) {
      const double* values = both.data_ptr<double>() + 2 * (block * kBlock + kReach);
      double* product = products.data() + block * kStep;
      double* square = squares.data() + block * kStep;
      for (std::int64_t i = 0; i < kStep; ++i) {
        const auto a = values[2 * i], b = values[2 * i + 1];
        product[i] += a * b;
        square[i] += a * a + b * b;
      }
    }
  }
};

static_assert(Metric<PyssimCWSSIM>);

}  // namespace limpid
