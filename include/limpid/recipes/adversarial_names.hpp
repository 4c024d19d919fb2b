#pragma once

#include <limpid/core/named.hpp>
#include <limpid/critics/attention.hpp>
#include <limpid/critics/autoencoder.hpp>
#include <limpid/critics/conditional.hpp>
#include <limpid/critics/double_scale.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <limpid/critics/unet.hpp>
#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/dragan.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <limpid/losses/adversarial/least_squares.hpp>
#include <limpid/losses/adversarial/minimax.hpp>
#include <limpid/losses/adversarial/non_saturating.hpp>
#include <limpid/losses/adversarial/per_critic.hpp>
#include <limpid/losses/adversarial/relativistic.hpp>
#include <limpid/losses/adversarial/relativistic_hinge.hpp>
#include <limpid/losses/adversarial/relativistic_least_squares.hpp>
#include <limpid/losses/adversarial/relativistic_pairs.hpp>
#include <limpid/losses/adversarial/softplus_r1.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Objectives and critics by the names that programs give them.
namespace limpid {

/// What `with_critic` builds a critic from; the rest is the critic's default.
struct CriticOptions {
  std::int64_t width = 64;  ///< channels of the first layer
};

/// Every objective of the library, made with its defaults.
inline constexpr NamedTable kObjectives{
    "an adversarial objective",
    Named{Minimax::name, "the GAN game as first published", [] { return Minimax{}; }},
    Named{NonSaturating::name, "the game with a generator that always learns",
          [] { return NonSaturating{}; }},
    Named{Wasserstein::name, "difference of mean scores, clipped weights",
          [] { return Wasserstein{}; }},
    Named{WassersteinGP::name, "the same with a gradient penalty: the thesis",
          [] { return WassersteinGP{}; }},
    Named{LeastSquares::name, "scores drawn to 1 and 0", [] { return LeastSquares{}; }},
    Named{Hinge::name, "scores pushed past a margin", [] { return Hinge{}; }},
    Named{DRAGAN<>::name, "non-saturating, with a penalty around the targets",
          [] { return DRAGAN<>{}; }},
    Named{DRAGAN<Minimax>::name, "minimax, with a penalty around the targets",
          [] { return DRAGAN<Minimax>{}; }},
    Named{BEGAN::name, "an autoencoder reconstructs targets, and restored images badly",
          [] { return BEGAN{}; }},
    Named{SoftplusR1::name, "non-saturating, with a critic flat at the targets",
          [] { return SoftplusR1{}; }},
    Named{Relativistic::name, "targets more real than restored images on average",
          [] { return Relativistic{}; }},
    Named{RelativisticLeastSquares::name, "the same in squares: DeblurGAN-v2",
          [] { return RelativisticLeastSquares{}; }},
    Named{RelativisticHinge::name, "the same with a margin", [] { return RelativisticHinge{}; }},
    Named{RelativisticPairs::name, "each target more real than its own restored image",
          [] { return RelativisticPairs{}; }}};

/// Every critic of the library, as a function that makes it.
inline constexpr NamedTable kCritics{
    "a critic",
    Named{
        PatchGANImpl<>::architecture, "scores of patches of 70 x 70 pixels",
        [](CriticOptions options) { return PatchGAN<>{PatchGANOptions{.width = options.width}}; }},
    Named{DoubleScaleImpl<>::architecture, "one critic of patches, one of nearly the whole crop",
          [](CriticOptions options) {
            return DoubleScale<>{DoubleScaleOptions{.width = options.width}};
          }},
    Named{ConditionalImpl<PatchGAN<>>::architecture, "patches beside the degraded image",
          [](CriticOptions options) {
            return Conditional<PatchGAN<>>{PatchGANOptions{.width = options.width}};
          }},
    Named{DoubleScaleImpl<Conditional<PatchGAN<>>>::architecture,
          "both scales beside the degraded image",
          [](CriticOptions options) {
            return DoubleScale<Conditional<PatchGAN<>>>{DoubleScaleOptions{.width = options.width}};
          }},
    Named{UNetCriticImpl::architecture, "scores of pixels, spectral norm: Real-ESRGAN's",
          [](CriticOptions options) {
            return UNetCritic{UNetCriticOptions{.width = options.width}};
          }},
    Named{AttentionCriticImpl::architecture, "patches, and a map of where damage was: DeRaindrop's",
          [](CriticOptions options) {
            return AttentionCritic{AttentionCriticOptions{.width = options.width}};
          }},
    Named{AutoencoderImpl::architecture, "reconstructs the image; for began alone",
          [](CriticOptions options) {
            return Autoencoder{AutoencoderOptions{.width = options.width}};
          }}};

/// The names that `with_adversarial` takes.
inline std::vector<std::string> adversarial_names() { return kObjectives.names(); }

/// Calls `f(loss)` with the objective of this name, with its defaults. BEGAN needs an autoencoder
/// critic, all others one that gives scores: `AdversarialLossFor` says what fits.
///
/// @throws c10::ValueError with the list of names if there is none of this name.
template <class F>
void with_adversarial(std::string_view name, F f) {
  kObjectives.with(name, [&](const auto& make) { f(make()); });
}

/// The names that `with_critic` takes.
inline std::vector<std::string> critic_names() { return kCritics.names(); }

/// The critic to take for an objective where none is named.
inline std::string default_critic(std::string_view objective) {
  return std::string{means_name(objective, BEGAN::name) ? AutoencoderImpl::architecture
                                                        : PatchGANImpl<>::architecture};
}

/// Calls `f(critic)` with a new critic of this name.
///
/// @throws c10::ValueError with the list of names if there is none of this name, or if an option is
/// below 1.
template <class F>
void with_critic(std::string_view name, const CriticOptions& options, F f) {
  kCritics.with(name, [&](const auto& make) { f(make(options)); });
}

}  // namespace limpid
