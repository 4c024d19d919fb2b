#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/named.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>

#include <torch/csrc/autograd/autograd.h>

#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/random_tensor.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Whose slope a gradient penalty holds, where a critic gives many scores for an image. They are
/// one and the same for a critic of one score, as the papers have it, but for `per_pixel`.
///
/// A critic of P scores under `sum` is held where its mean score, which the loss takes, has a slope
/// of 1 / P: P is 1225 for PatchGAN on 256 x 256 pixels, and another for another crop.
enum class PenaltySlope {
  mean,       ///< of an image's mean score, the function that the loss takes
  sum,        ///< of the sum of its scores
  per_pixel,  ///< of the sum, one length per pixel over its channels: the thesis' published code
};

/// The forms of the slope by their names.
inline constexpr NamedTable kPenaltySlopes{
    "a penalty's slope",
    Named{"mean", "of an image's mean score, which is what the loss takes", PenaltySlope::mean},
    Named{"sum", "of the sum of an image's scores; depends on their number", PenaltySlope::sum},
    Named{"per-pixel", "of the sum, one length for each pixel: the thesis' published code",
          PenaltySlope::per_pixel}};

/// A random point on the line between each target and its restored image.
///
/// Source: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, algorithm 1.
/// Differs from the thesis' published code, which draws one number per batch: here one per sample.
///
/// @param target, restored  (N, C, H, W).
/// @return  alpha * target + (1 - alpha) * restored, alpha uniform in [0, 1), without a graph.
/// @throws c10::ValueError if the shapes differ.
LIMPID_INLINE at::Tensor random_point_between(const at::Tensor& target, const at::Tensor& restored,
                                              Random& random);

/// A critic's scores at some images, and how they change with the images.
struct CriticSlope {
  at::Tensor scores;    ///< with a graph to the critic's parameters
  at::Tensor gradient;  ///< (N, C, H, W), float at least, itself differentiable
  PenaltySlope form = PenaltySlope::mean;

  /// Mean of (length of the slope - center)^2 over samples, or over samples and pixels; scalar.
  at::Tensor penalty(double center) const;

  /// Mean length of the slope over the same, for a log; a scalar without a graph.
  at::Tensor length() const;

 private:
  at::Tensor vectors() const;
  static at::Tensor lengths(const at::Tensor& vectors);
};

/// Scores and slope of `critic` at `point`, from one forward pass.
///
/// @param point  (N, C, H, W); the graph behind it, if any, is cut.
template <ScoreCritic C>
CriticSlope slope_of(C& critic, const at::Tensor& point, const AdversarialBatch& batch,
                     PenaltySlope form = PenaltySlope::mean) {
  c10::AutoGradMode with_graph{true};
  auto leaf = detail::at_least_float(point.detach()).clone();
  leaf.requires_grad_(true);
  const auto scores = detail::scores_of(critic, leaf, batch);
  // Each sample's scores depend on that sample alone, so one pass gives the slopes of all.
  auto judged = scores.sum();
  if (form == PenaltySlope::mean) {
    judged = judged * (static_cast<double>(point.size(0)) / static_cast<double>(scores.numel()));
  }
  const auto gradient = torch::autograd::grad({judged}, {leaf}, {}, /*retain_graph=*/true,
                                              /*create_graph=*/true)[0];
  return {scores, gradient, form};
}

/// Mean of (length of the critic's slope at `point` - center)^2.
///
/// With `random_point_between` and center 1 it is the penalty of WGAN-GP (Gulrajani et al. 2017);
/// at a perturbed target that of DRAGAN (Kodali et al., "On Convergence and Stability of GANs",
/// 2017); at the target with center 0, R1 (Mescheder et al., "Which Training Methods for GANs do
/// actually Converge?", ICML 2018). No factor is included. Costs a second backward pass through
/// the critic.
///
/// @return  scalar: the mean over samples, or over samples and pixels with
///          `PenaltySlope::per_pixel`.
template <ScoreCritic C>
at::Tensor gradient_penalty(C& critic, const at::Tensor& point, const AdversarialBatch& batch,
                            double center = 1.0, PenaltySlope form = PenaltySlope::mean) {
  return slope_of(critic, point, batch, form).penalty(center);
}

namespace detail {

/// The length of a slope as a figure to log; none before the first.
LIMPID_INLINE std::vector<std::pair<std::string, at::Tensor>> slope_figures(
    const at::Tensor& length);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor random_point_between(const at::Tensor& target, const at::Tensor& restored,
                                              Random& random) {
  detail::check_same_shape("random_point_between", restored, target);
  const auto alpha = random_uniform({target.size(0), 1, 1, 1}, random, target.options());
  return alpha * target.detach() + (1 - alpha) * restored.detach();
}

LIMPID_INLINE at::Tensor CriticSlope::penalty(double center) const {
  // A length of zero has no direction; its square, all that center 0 needs, is smooth there.
  if (center == 0.0) return vectors().square().sum(1).mean();
  return (lengths(vectors()) - center).square().mean();
}

LIMPID_INLINE at::Tensor CriticSlope::length() const { return lengths(vectors().detach()).mean(); }

LIMPID_INLINE at::Tensor CriticSlope::vectors() const {
  return form == PenaltySlope::per_pixel ? gradient : gradient.flatten(1);
}

LIMPID_INLINE at::Tensor CriticSlope::lengths(const at::Tensor& vectors) {
  return vectors.norm(2, {1});
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE std::vector<std::pair<std::string, at::Tensor>> slope_figures(
    const at::Tensor& length) {
  if (!length.defined()) return {};
  return {{"slope", length}};
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
