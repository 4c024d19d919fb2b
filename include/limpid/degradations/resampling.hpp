#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/resample_taps.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/tf32.hpp>

#include <c10/util/Exception.h>

#include <cmath>
#endif

namespace limpid {

/// Lost resolution: a picture shrunk by a factor and enlarged to its size again.
///
/// Source: Zhang et al., "Designing a Practical Degradation Model for Deep Blind Image
/// Super-Resolution" (BSRGAN), ICCV 2021, sec. 3.2; Wang et al., "Real-ESRGAN", ICCVW 2021,
/// sec. 3.1 (area, linear and cubic at random, for the way down and the way up). Differs: shrinking
/// is antialiased, as MATLAB and Pillow do; area is for the way down only; the small picture is
/// neither rounded nor clamped.
struct Resampling {
  Interval factor{1.5, 4};  ///< of both sides
  double area = 1;          ///< how often it shrinks by the mean over an area,
  double linear = 1;        ///< how often linearly, and
  double cubic = 1;         ///< how often by cubic convolution; 1, 1, 1: equally often

  static void each_option(auto& self, auto&& visit) {
    visit("factor", self.factor, "by which both sides shrink");
    visit("area", self.area, "how often by the mean over an area, on the way down");
    visit("linear", self.linear, "how often linearly");
    visit("cubic", self.cubic, "how often by cubic convolution");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// What one call does to a photograph: the weights of both sides.
  struct Drawn {
    std::vector<detail::ResampleTap> rows, columns;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;

    /// What lies outside of the window is taken from its border.
    template <class Visit>
    static void each_weight(const detail::ResampleTap& tap, std::int64_t start, std::int64_t count,
                            Visit visit) {
      auto at = tap.first - start;
      for (const auto weight : tap.weights) {
        visit(std::clamp<std::int64_t>(at++, 0, count - 1), static_cast<float>(weight));
      }
    }
  };

  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// Pixels around a crop that its degraded version may depend on.
  std::int64_t batch_margin() const;

 private:
  static void add_matrix(const std::vector<detail::ResampleTap>& taps, std::vector<float>& matrix);

  detail::Resample method(double area_share, double where) const;
};

static_assert(DegradationWithOptions<Resampling> && PartwiseDegradation<Resampling>);
static_assert(BatchDegradation<Resampling>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void Resampling::check() const {
  detail::check_within("Resampling: factor", factor, {1, 256});
  detail::check_not_negative("Resampling: area", area);
  detail::check_not_negative("Resampling: linear", linear);
  detail::check_not_negative("Resampling: cubic", cubic);
  TORCH_CHECK_VALUE(linear + cubic > 0,
                    "Resampling: expected linear or cubic for the way up, got 0 for both");
}

LIMPID_INLINE at::Tensor Resampling::Drawn::operator()(const at::Tensor& pixels,
                                                       const Window& window) const {
  const auto clean = detail::photograph("Resampling", pixels);
  const auto height = window.height;
  const auto width = window.width;
  std::vector<float> column_sums(static_cast<std::size_t>(width));
  auto coarse = detail::empty_like_photograph(clean);
  for (std::int64_t c = 0; c < 3; ++c) {
    const auto* in = clean.data_ptr<float>() + c * height * width;
    auto* out = coarse.data_ptr<float>() + c * height * width;
    for (std::int64_t y = 0; y < height; ++y, out += width) {
      std::fill(column_sums.begin(), column_sums.end(), 0.0f);
      each_weight(rows[static_cast<std::size_t>(window.top + y)], window.top, height,
                  [&](std::int64_t row, float weight) {
                    const auto* from = in + row * width;
                    for (std::int64_t x = 0; x < width; ++x) {
                      column_sums[static_cast<std::size_t>(x)] += weight * from[x];
                    }
                  });
      for (std::int64_t x = 0; x < width; ++x) {
        auto sum = 0.0f;
        each_weight(columns[static_cast<std::size_t>(window.left + x)], window.left, width,
                    [&](std::int64_t column, float weight) {
                      sum += weight * column_sums[static_cast<std::size_t>(column)];
                    });
        out[x] = std::clamp(sum, 0.0f, 1.0f);
      }
    }
  }
  return coarse;
}

LIMPID_INLINE Resampling::Drawn Resampling::drawn_for(std::int64_t height, std::int64_t width,
                                                      Random& random) const {
  check();
  const auto by = factor.draw(random);
  const auto down = method(area, random.uniform());
  const auto up = method(0, random.uniform());
  const auto low = [&](std::int64_t size) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(size) / by));
  };
  Drawn drawn{detail::down_and_up_taps(height, low(height), down, up),
              detail::down_and_up_taps(width, low(width), down, up)};
  for (const auto* side : {&drawn.rows, &drawn.columns}) {
    for (std::size_t i = 0; i < side->size(); ++i) {
      const auto& tap = (*side)[i];
      const auto at = static_cast<std::int64_t>(i);
      const auto last = tap.first + static_cast<std::int64_t>(tap.weights.size()) - 1;
      drawn.margin = std::max({drawn.margin, at - tap.first, last - at});
    }
  }
  return drawn;
}

LIMPID_INLINE at::Tensor Resampling::operator()(const at::Tensor& image, Random& random) const {
  const auto clean = detail::photograph("Resampling", image);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  return drawn_for(height, width, random)(clean, Window::whole(height, width));
}

LIMPID_INLINE at::Tensor Resampling::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("Resampling", images);
  const auto count = clean.size(0);
  const auto height = clean.size(2);
  const auto width = clean.size(3);
  std::vector<float> rows, columns;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto drawn = drawn_for(height, width, random);
    add_matrix(drawn.rows, rows);
    add_matrix(drawn.columns, columns);
  }
  const auto down = numbers_on(clean.device(), rows, {count, 1, height, height});
  const auto across = numbers_on(clean.device(), columns, {count, 1, width, width});
  const TF32Scope exact{false, clean.device()};
  return at::matmul(at::matmul(down, clean), across.transpose(2, 3)).clamp_(0, 1);
}

LIMPID_INLINE std::int64_t Resampling::batch_margin() const {
  return static_cast<std::int64_t>(std::ceil(4 * factor.high())) + 2;
}

LIMPID_INLINE void Resampling::add_matrix(const std::vector<detail::ResampleTap>& taps,
                                          std::vector<float>& matrix) {
  for (const auto& tap : taps) {
    const auto first = matrix.size() + static_cast<std::size_t>(tap.first);
    matrix.resize(matrix.size() + taps.size(), 0.0f);
    for (std::size_t j = 0; j < tap.weights.size(); ++j) {
      matrix[first + j] = static_cast<float>(tap.weights[j]);
    }
  }
}

LIMPID_INLINE detail::Resample Resampling::method(double area_share, double where) const {
  where *= area_share + linear + cubic;
  if (where < area_share) return detail::Resample::area;
  return where < area_share + linear ? detail::Resample::linear : detail::Resample::cubic;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
