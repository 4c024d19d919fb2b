#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/metrics/channels.hpp>
#include <limpid/metrics/niqe_features.hpp>
#include <limpid/metrics/niqe_model.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace limpid {

/// Naturalness of one picture, judged without a target: how far the statistics of its blocks lie
/// from those of pristine photographs.
///
/// Blocks of 96 x 96 pixels from the top left (the rest is dropped) at two scales, 36 features
/// each: fits of asymmetric generalised Gaussians to values less their local mean over their local
/// deviation, and to products of neighbours. Distance of the two Gaussians of features:
/// sqrt(d' pinv((C1 + C2) / 2) d).
/// Source: Mittal, Soundararajan, Bovik, "Making a 'Completely Blind' Image Quality Analyzer", IEEE
/// SPL 2013; the second scale and the covariances as in the authors' MATLAB program.
/// Differs: the paper judges grey; most programs of this field judge the rounded Y, the default
/// here. A block of one value has no features (in exact arithmetic; elsewhere rounding noise
/// decides, 0.1 and more apart): a picture with such blocks has no score, and `undefined` says so.
template <MetricChannels Channels = MetricChannels::y_rounded>
requires(Channels == MetricChannels::y_rounded || Channels == MetricChannels::gray) class NIQE {
 public:
  static constexpr std::string_view name =
      Channels == MetricChannels::y_rounded ? "niqe" : "niqe_gray";
  static constexpr std::string_view label =
      Channels == MetricChannels::y_rounded ? "NIQE" : "NIQE grey";
  static constexpr bool higher_is_better = false;
  const std::string protocol =
      "of each picture alone, without its target: blocks of 96 x 96 pixels from the top left, two "
      "scales (bicubic with antialiasing, as MATLAB's imresize), distance to a model of pristine "
      "photographs (Mittal et al. 2013), on " +
      std::string{detail::description(Channels)} +
      ", rounded to 8 bits; a picture with flat blocks has no score";

  explicit NIQE(NIQEModel model) : model_(std::move(model)) {}

  /// @param image  (3, H, W) or (1, 3, H, W), at least two blocks of 96 x 96, values in [0, 1].
  /// @return 0 or more; NaN where `undefined` has a reason, or a value is no number.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& image) const {
    const auto plane = plane_of(image);
    if (!std::isfinite(plane.sum().template item<double>())) return kNone;
    const auto features = detail::niqe_features(plane, model_.window);
    if (features.flat > 0) return kNone;
    const auto [mean, covariance] = detail::mean_and_covariance(features.values);
    const auto middle = (model_.covariance + covariance) / 2;
    const auto distance = (model_.mean - mean).contiguous();
    return std::sqrt(std::max(0.0, inverse_form(middle.contiguous(), distance)));
  }

  /// "3 of 40 blocks are flat", or nothing where the picture has a score.
  std::string undefined(const at::Tensor& image) const {
    const auto plane = plane_of(image);
    if (!std::isfinite(plane.sum().template item<double>())) return {};
    const auto features = detail::niqe_features(plane, model_.window);
    if (features.flat == 0) return {};
    return std::to_string(features.flat) + " of " + std::to_string(features.blocks) +
           " blocks are flat";
  }

 private:
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  static at::Tensor plane_of(const at::Tensor& image) {
    constexpr auto side = detail::kNIQEBlock;
    const auto plane = detail::metric_channels("NIQE", image, Channels);
    TORCH_CHECK_VALUE((plane.size(1) / side) * (plane.size(2) / side) >= 2,
                      "NIQE: expected at least two blocks of 96 x 96 pixels, got ", image.sizes());
    return plane[0];
  }

  /// d' pinv(C) d for a symmetric C.
  static double inverse_form(const at::Tensor& matrix, const at::Tensor& vector) {
    const auto n = static_cast<Eigen::Index>(vector.numel());
    const Eigen::Map<const Eigen::MatrixXd> c{matrix.data_ptr<double>(), n, n};
    const Eigen::Map<const Eigen::VectorXd> d{vector.data_ptr<double>(), n};
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{c};
    const Eigen::VectorXd along = solver.eigenvectors().transpose() * d;
    const auto least = 1e-15 * solver.eigenvalues().cwiseAbs().maxCoeff();
    double sum = 0;
    for (Eigen::Index i = 0; i < n; ++i) {
      const auto value = solver.eigenvalues()[i];
      if (std::abs(value) > least) sum += along[i] * along[i] / value;
    }
    return sum;
  }

  NIQEModel model_;
};

/// On grey: `NIQEGray{model}`.
using NIQEGray = NIQE<MetricChannels::gray>;

static_assert(NoReferenceMetric<NIQE<>> && NoReferenceMetric<NIQEGray>);
static_assert(!Metric<NIQE<>>, "it looks at no target");

}  // namespace limpid
