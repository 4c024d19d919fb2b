#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/recipes/adversarial_names.hpp>
#include <limpid/training/adversary.hpp>

#include <c10/util/Exception.h>

#include <cstdint>
#include <string>
#include <utility>

namespace limpid {

namespace detail {

/// @throws c10::ValueError if the objective cannot use the critic.
template <class CriticT, class Loss>
Adversary paired(CriticT critic, Loss loss, const std::string& objective,
                 const std::string& critic_name) {
  auto fitted = objective_for(critic, std::move(loss));
  if constexpr (AdversarialLossFor<decltype(fitted), CriticT>) {
    return Adversary{std::move(critic), std::move(fitted)};
  } else {
    limpid::refuse("objective '", objective, "' cannot use critic '", critic_name,
                   "': began needs an autoencoder, all others a critic that gives scores");
  }
}

}  // namespace detail

namespace recipes {

/// A new critic and an objective, both by name; a critic made of several is judged part by part.
///
/// @param objective  a name in `kObjectives`
/// @param critic     a name in `kCritics`; empty: the usual one for the objective
/// @param width      channels of the critic's first layer
/// @param slope      which slope a gradient penalty holds, for an objective that has one
/// @throws c10::ValueError for an unknown name, or an objective that cannot use the critic.
template <class OnlyIfCalled = void>
Adversary make_adversary(const std::string& objective, const std::string& critic = {},
                         std::int64_t width = 64, PenaltySlope slope = PenaltySlope::mean) {
  const auto critic_name = critic.empty() ? default_critic(objective) : critic;
  Adversary adversary;
  with_critic(critic_name, {.width = width}, [&](auto handle) {
    with_adversarial(objective, [&](auto loss) {
      if constexpr (requires { loss.slope; }) loss.slope = slope;
      adversary = detail::paired(handle, std::move(loss), objective, critic_name);
    });
  });
  return adversary;
}

#ifdef LIMPID_ONCE
LIMPID_ONCE Adversary make_adversary<>(const std::string& objective, const std::string& critic,
                                       std::int64_t width, PenaltySlope slope);
#endif

}  // namespace recipes
}  // namespace limpid
