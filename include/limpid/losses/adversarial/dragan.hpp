#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/losses/adversarial/gradient_penalty.hpp>
#include <limpid/losses/adversarial/minimax.hpp>
#include <limpid/losses/adversarial/non_saturating.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>

#include <c10/util/Exception.h>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/random_tensor.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// What DRAGAN adds to the targets to find the points of its penalty.
enum class DRAGANNoise {
  published,  ///< scale * (standard deviation of the batch) * u, u uniform in [0, 1): the authors'
              ///< code; the noise is not centred
  gaussian,   ///< scale * n, n standard normal: the paper's text, N(0, c I) with c = scale^2
};

namespace detail {

/// Standard deviation of all values of a batch, divided by their count; a scalar.
LIMPID_INLINE at::Tensor deviation_of(const at::Tensor& image);

/// The same of the whole batch, of which other processes have other parts.
LIMPID_INLINE at::Tensor whole_deviation(const at::Tensor& image, const AdversarialBatch& batch);

}  // namespace detail

/// The points of DRAGAN's penalty, for given noise.
///
/// @param target   (N, C, H, W).
/// @param uniform  the same shape, values in [0, 1).
/// @return  target + scale * std * uniform, without a graph; std is one number, over all values of
///          the batch, divided by their count (population), or `deviation` where it is given.
/// @throws c10::ValueError if the shapes differ.
LIMPID_INLINE at::Tensor dragan_point(const at::Tensor& target, const at::Tensor& uniform,
                                      double scale = 0.5, const at::Tensor& deviation = {});

/// The same with noise of the given kind, drawn from `random` in the order of the values.
LIMPID_INLINE at::Tensor random_dragan_point(const at::Tensor& target, Random& random,
                                             double scale = 0.5,
                                             DRAGANNoise kind = DRAGANNoise::published,
                                             const at::Tensor& deviation = {});

/// The GAN game with the length of the critic's gradient held near one around the targets.
///
/// Source: Kodali, Abernethy, Hays and Kira, "On Convergence and Stability of GANs", 2017.
/// Critic: -E log p(target) - E log(1 - p(restored)) + penalty * E (|grad D(z)| - 1)^2, with
/// p = sigmoid(score) and z the target with noise; generator: as `Game`. The critic must not mix
/// samples.
/// Differs: z is the point with all of the noise, as in the paper's text and where others' code
/// agrees; the authors' code then draws a point between it and the target.
///
/// @tparam Game  `NonSaturating`, as in the paper, or `Minimax`, as in the thesis' table
/// (Fig. 2.5).
template <class Game = NonSaturating>
requires std::same_as<Game, NonSaturating> || std::same_as<Game, Minimax>
struct DRAGAN {
  double penalty = 10.0;                       ///< the paper's lambda
  double scale = 0.5;                          ///< of the noise
  DRAGANNoise noise = DRAGANNoise::published;  ///< what is added to the targets
  PenaltySlope slope = PenaltySlope::mean;  ///< which function of many scores is D in the penalty
  at::Tensor length{};                      ///< of the slope, as last seen

  static constexpr std::string_view name =
      std::same_as<Game, Minimax> ? "dragan-minimax" : "dragan";

  /// @throws c10::ValueError if `penalty` or `scale` is negative or `batch.random` is null.
  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) {
    detail::check_not_negative("DRAGAN: penalty", penalty);
    detail::check_not_negative("DRAGAN: scale", scale);
    TORCH_CHECK_VALUE(batch.random != nullptr,
                      "DRAGAN: expected a random source in the batch, got none");
    const bool published = noise == DRAGANNoise::published;
    const auto deviation =
        published ? detail::whole_deviation(detail::at_least_float(batch.target.detach()), batch)
                  : at::Tensor{};
    const auto point = batch.drawn(batch.target.numel() * (published ? 1 : 2), [&](Random& random) {
      return random_dragan_point(batch.target, random, scale, noise, deviation);
    });
    return critic_loss_at(point, critic, batch);
  }

  /// The critic's loss with the penalty at the given points (N, C, H, W).
  template <ScoreCritic C>
  at::Tensor critic_loss_at(const at::Tensor& point, C& critic, const AdversarialBatch& batch) {
    const auto held = slope_of(critic, point, batch, slope);
    length = held.length();
    return Game{}.critic_loss(critic, batch) + penalty * held.penalty(1.0);
  }

  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return Game{}.generator_loss(critic, batch);
  }

  /// The mean length of the slope, for a log: near one where the penalty holds it.
  std::vector<std::pair<std::string, at::Tensor>> figures() const {
    return detail::slope_figures(length);
  }
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor deviation_of(const at::Tensor& image) {
  return image.std(/*unbiased=*/false);
}

LIMPID_INLINE at::Tensor whole_deviation(const at::Tensor& image, const AdversarialBatch& batch) {
  if (batch.share == nullptr) return deviation_of(image);
  const auto values = image.to(at::kDouble);
  const auto center = batch.whole_mean(values.mean());
  return batch.whole_mean((values - center).square().mean()).sqrt().to(image.scalar_type());
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor dragan_point(const at::Tensor& target, const at::Tensor& uniform,
                                      double scale, const at::Tensor& deviation) {
  TORCH_CHECK_VALUE(target.sizes() == uniform.sizes(), "dragan_point: target ", target.sizes(),
                    " and noise ", uniform.sizes(), " differ in shape");
  const auto image = detail::at_least_float(target.detach());
  const auto spread = deviation.defined() ? deviation : detail::deviation_of(image);
  return image + scale * spread * uniform.detach();
}

LIMPID_INLINE at::Tensor random_dragan_point(const at::Tensor& target, Random& random, double scale,
                                             DRAGANNoise kind, const at::Tensor& deviation) {
  const auto image = detail::at_least_float(target.detach());
  if (kind == DRAGANNoise::published) {
    return dragan_point(image, random_uniform(image.sizes(), random, image.options()), scale,
                        deviation);
  }
  return image + scale * random_normal(image.sizes(), random, image.options());
}

}  // namespace limpid

#endif  // LIMPID_BODIES
