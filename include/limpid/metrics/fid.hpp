#pragma once

#include <limpid/backbones/inception_v3.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/metrics/eight_bit.hpp>
#include <limpid/metrics/frechet_distance.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <c10/core/GradMode.h>

#include <limits>
#include <string_view>
#include <utility>

namespace limpid {

/// How far two sets of pictures lie apart in the features of Inception v3: of the whole set, not of
/// a picture against its own target.
///
/// Each picture, rounded to 8 bits, is resized to 299 x 299 (bilinear, without antialiasing) and
/// looked at alone; the distance is that of the normal distributions of both sets' features. It
/// depends on how many pictures there are, most where they are fewer than the 2048 features:
/// compare sets of one size.
/// Source: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
/// Equilibrium", NeurIPS 2017; resizing and network as in pytorch-fid.
class FID {
 public:
  static constexpr std::string_view name = "fid";
  static constexpr std::string_view label = "FID";
  static constexpr std::string_view protocol =
      "of the whole set of pictures: Frechet distance of the features (2048) of Inception v3 "
      "(TensorFlow, December 2015), pictures rounded to 8 bits and resized to 299 x 299, bilinear "
      "without antialiasing, as pytorch-fid; depends on the number of pictures";
  static constexpr bool higher_is_better = false;

  explicit FID(InceptionV3 network) : network_(std::move(network)) {}

  /// @param image  (3, H, W) or (1, 3, H, W), values in [0, 1].
  /// @return       (2048)
  /// @throws c10::ValueError for other shapes.
  at::Tensor features(const at::Tensor& image) const {
    const c10::NoGradGuard no_grad;
    const auto unit = (detail::eight_bit("FID", image) / 255).to(at::kFloat).unsqueeze(0);
    auto network = network_;
    return network->forward(to_signed(at::upsample_bilinear2d(unit, {299, 299}, false)))[0];
  }

  /// @param restored, target  (N, D) and (M, D)
  /// @return 0 or more, but for rounding; no number for fewer than two pictures.
  double set_score(const at::Tensor& restored, const at::Tensor& target) const {
    if (restored.size(0) < 2 || target.size(0) < 2) return std::numeric_limits<double>::quiet_NaN();
    return frechet_distance(restored, target);
  }

 private:
  InceptionV3 network_;
};

static_assert(SetMetric<FID> && !Metric<FID>);

}  // namespace limpid
