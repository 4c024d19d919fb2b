#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/random.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

namespace limpid {

/// Over what the length of a critic's gradient is taken.
enum class GradientNorm {
  sample,  ///< One length per sample, over its channels and pixels, as the papers define it.
  pixel,   ///< One length per pixel, over its channels: the thesis' published code.
};

/// A random point on the line between each target and its restored image.
///
/// Source: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, algorithm 1.
/// Differs from the thesis' published code, which draws one number per batch: here one per sample.
///
/// @param target, restored  (N, C, H, W).
/// @return  alpha * target + (1 - alpha) * restored, alpha uniform in [0, 1), without a graph.
/// @throws c10::ValueError if the shapes differ.
inline at::Tensor random_point_between(const at::Tensor& target, const at::Tensor& restored,
                                       Random& random) {
  detail::check_same_shape("random_point_between", restored, target);
  auto alphas = at::empty({target.size(0), 1, 1, 1}, at::kDouble);
  auto* values = alphas.data_ptr<double>();
  for (std::int64_t i = 0; i < target.size(0); ++i) values[i] = random.uniform();
  const auto alpha = alphas.to(target.options());
  return alpha * target.detach() + (1 - alpha) * restored.detach();
}

namespace detail {

/// Scores of an image, and the gradient of their sum with respect to it.
struct ScoresAndGradient {
  at::Tensor scores;    ///< with a graph to the critic's parameters
  at::Tensor gradient;  ///< (N, C, H, W), float at least, itself differentiable
};

/// Both from one forward pass; the graph behind `image`, if any, is cut.
template <ScoreCritic C>
ScoresAndGradient judge_with_gradient(C& critic, const at::Tensor& image,
                                      const AdversarialBatch& batch) {
  c10::AutoGradMode with_graph{true};
  auto point = at_least_float(image.detach()).clone();
  point.requires_grad_(true);
  const auto scores = scores_of(critic, point, batch);
  const auto gradient = torch::autograd::grad({scores.sum()}, {point}, {}, /*retain_graph=*/true,
                                              /*create_graph=*/true)[0];
  return {scores, gradient};
}

}  // namespace detail

/// Gradient of the sum of the critic's scores with respect to the image at `point`, itself
/// differentiable with respect to the critic's parameters.
///
/// @param point  (N, C, H, W); its graph, if any, is cut.
/// @return       (N, C, H, W), float at least.
template <ScoreCritic C>
at::Tensor score_gradient(C& critic, const at::Tensor& point, const AdversarialBatch& batch) {
  return detail::judge_with_gradient(critic, point, batch).gradient;
}

/// Mean of (length of a gradient - center)^2.
///
/// @param gradient  (N, C, H, W).
/// @return  scalar: the mean over samples, or over samples and pixels with `GradientNorm::pixel`.
inline at::Tensor mean_squared_excess(const at::Tensor& gradient, double center,
                                      GradientNorm norm = GradientNorm::sample) {
  const auto vectors = norm == GradientNorm::sample ? gradient.flatten(1) : gradient;
  // A length of zero has no direction; its square, all that center 0 needs, is smooth there.
  if (center == 0.0) return vectors.square().sum(1).mean();
  return (vectors.norm(2, {1}) - center).square().mean();
}

/// Mean of (length of the critic's gradient at `point` - center)^2.
///
/// With `random_point_between` and center 1 it is the penalty of WGAN-GP (Gulrajani et al. 2017);
/// at a perturbed target that of DRAGAN (Kodali et al., "On Convergence and Stability of GANs",
/// 2017); at the target with center 0, R1 (Mescheder et al., "Which Training Methods for GANs do
/// actually Converge?", ICML 2018). No factor is included. Costs a second backward pass through
/// the critic.
///
/// @return  scalar: the mean over samples, or over samples and pixels with `GradientNorm::pixel`.
template <ScoreCritic C>
at::Tensor gradient_penalty(C& critic, const at::Tensor& point, const AdversarialBatch& batch,
                            double center = 1.0, GradientNorm norm = GradientNorm::sample) {
  return mean_squared_excess(score_gradient(critic, point, batch), center, norm);
}

}  // namespace limpid
