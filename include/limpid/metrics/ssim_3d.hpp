#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/metrics/eight_bit.hpp>
#include <limpid/metrics/windowed_ssim.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/replication_pad2d.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace limpid {

/// Structural similarity whose Gaussian window runs over rows, columns and the three channels.
///
/// 11 taps along each of the three axes, sigma 1.5, every border replicated, nothing cropped,
/// population covariance, K1 = 0.01, K2 = 0.03, peak 255, mean over all values, in double, after
/// rounding to 8 bits. With three channels and eleven taps the end channels have most of the
/// weight.
/// Source: what MATLAB's `ssim` makes of an RGB array, printed by Nah et al., "Deep Multi-scale
/// Convolutional Neural Network for Dynamic Scene Deblurring", CVPR 2017, Restormer and NAFNet.
/// Differs: those compute in single precision, which is up to 1.5e-4 off where a picture is flat.
struct SSIM3D {
  static constexpr std::string_view name = "ssim_3d";
  static constexpr std::string_view label = "SSIM 3-D";
  static constexpr std::string_view protocol =
      "11 x 11 x 11 Gaussian window over rows, columns and the three channels of RGB, sigma 1.5, "
      "borders replicated (those of the channels too), nothing cropped, population covariance, "
      "K1 0.01, K2 0.03, peak 255, both pictures rounded to 8 bits (MATLAB's ssim of an RGB array)";
  static constexpr bool higher_is_better = true;

  /// @param restored  (3, H, W) or (1, 3, H, W), values in [0, 1].
  /// @param target    of the same height and width.
  /// @return at most 1, for identical pictures.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const auto a = detail::eight_bit("SSIM3D", restored);
    const auto b = detail::eight_bit("SSIM3D", target);
    detail::check_same_shape("SSIM3D", a, b);
    const auto taps = detail::gaussian_taps(11, 1.5);
    const auto shares = channel_shares(taps);
    detail::WindowMeans windows{at::replication_pad2d(a, {5, 5, 5, 5}),
                                at::replication_pad2d(b, {5, 5, 5, 5}), taps, taps};
    std::array<std::vector<double>, 3> means;
    std::vector<double> mixed;
    double sum = 0;
    for (std::int64_t row = 0; row < windows.rows(); ++row) {
      for (std::size_t c = 0; c < 3; ++c) {
        windows.row(static_cast<std::int64_t>(c), row, means[c]);
      }
      mixed.resize(means[0].size());
      for (const auto& share : shares) {
        for (std::size_t i = 0; i < mixed.size(); ++i) {
          mixed[i] = share[0] * means[0][i] + share[1] * means[1][i] + share[2] * means[2][i];
        }
        sum += detail::ssim_sums(mixed, 1.0).similarity;
      }
    }
    return sum / static_cast<double>(a.numel());
  }

 private:
  /// How much of each channel is in the window around each channel.
  static std::array<std::array<double, 3>, 3> channel_shares(const std::vector<double>& taps) {
    std::array<std::array<double, 3>, 3> shares{};
    for (int around = 0; around < 3; ++around) {
      for (int k = 0; k < 11; ++k) {
        const auto channel = std::clamp(around + k - 5, 0, 2);
        shares[static_cast<std::size_t>(around)][static_cast<std::size_t>(channel)] +=
            taps[static_cast<std::size_t>(k)];
      }
    }
    return shares;
  }
};

static_assert(Metric<SSIM3D>);

}  // namespace limpid
