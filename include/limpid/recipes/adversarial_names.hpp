#pragma once

#include <limpid/critics/autoencoder.hpp>
#include <limpid/critics/conditional.hpp>
#include <limpid/critics/double_scale.hpp>
#include <limpid/critics/patch_gan.hpp>
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

#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// Objectives and critics by the names that programs give them.
namespace limpid {

/// What `with_critic` builds a critic from; the rest is the critic's default.
struct CriticOptions {
  std::int64_t width = 64;  ///< channels of the first layer
};

namespace detail {

template <class T>
struct Named {
  const char* name;
  T value;
};

/// Every objective of the library with its defaults.
inline auto named_adversarial() {
  return std::make_tuple(
      Named<Minimax>{"minimax", {}}, Named<NonSaturating>{"non-saturating", {}},
      Named<Wasserstein>{"wasserstein", {}}, Named<WassersteinGP>{"wasserstein-gp", {}},
      Named<LeastSquares>{"least-squares", {}}, Named<Hinge>{"hinge", {}},
      Named<DRAGAN<>>{"dragan", {}}, Named<DRAGAN<Minimax>>{"dragan-minimax", {}},
      Named<BEGAN>{"began", {}}, Named<SoftplusR1>{"softplus-r1", {}},
      Named<Relativistic>{"relativistic", {}},
      Named<RelativisticLeastSquares>{"relativistic-least-squares", {}},
      Named<RelativisticHinge>{"relativistic-hinge", {}},
      Named<RelativisticPairs>{"relativistic-pairs", {}});
}

/// Every critic of the library, as a function that builds it.
inline auto named_critics() {
  constexpr auto patch = [](CriticOptions options) {
    return PatchGAN<>{PatchGANOptions{.width = options.width}};
  };
  constexpr auto conditional_patch = [](CriticOptions options) {
    return Conditional<PatchGAN<>>{PatchGANOptions{.width = options.width}};
  };
  constexpr auto double_scale = [](CriticOptions options) {
    return DoubleScale<>{DoubleScaleOptions{.width = options.width}};
  };
  constexpr auto conditional_double_scale = [](CriticOptions options) {
    return DoubleScale<Conditional<PatchGAN<>>>{DoubleScaleOptions{.width = options.width}};
  };
  constexpr auto autoencoder = [](CriticOptions options) {
    return Autoencoder{AutoencoderOptions{.width = options.width}};
  };
  const auto named = [](const char* name, auto make) { return Named<decltype(make)>{name, make}; };
  return std::make_tuple(named("patch", patch), named("double-scale", double_scale),
                         named("conditional-patch", conditional_patch),
                         named("conditional-double-scale", conditional_double_scale),
                         named("autoencoder", autoencoder));
}

template <class Table>
std::vector<std::string> names_in(const Table& table) {
  return std::apply([](const auto&... entry) { return std::vector<std::string>{entry.name...}; },
                    table);
}

/// Calls `f` with the value of the entry of this name.
template <class Table, class F>
void with_named(const char* kind, const Table& table, const std::string& name, F f) {
  const bool found = std::apply(
      [&](const auto&... entry) { return ((name == entry.name && (f(entry.value), true)) || ...); },
      table);
  if (found) return;
  std::string list;
  for (const auto& known : names_in(table)) list += (list.empty() ? "" : ", ") + known;
  TORCH_CHECK_VALUE(false, "expected ", kind, " among ", list, "; got '", name, "'");
}

}  // namespace detail

/// The names that `with_adversarial` takes.
inline std::vector<std::string> adversarial_names() {
  return detail::names_in(detail::named_adversarial());
}

/// Calls `f(loss)` with the objective of this name, with its defaults. BEGAN needs an autoencoder
/// critic, all others one that gives scores: `AdversarialLossFor` says what fits.
///
/// @throws c10::ValueError with the list of names if there is none of this name.
template <class F>
void with_adversarial(const std::string& name, F f) {
  detail::with_named("an adversarial loss", detail::named_adversarial(), name, std::move(f));
}

/// The names that `with_critic` takes.
inline std::vector<std::string> critic_names() { return detail::names_in(detail::named_critics()); }

/// The critic to take for an objective where none is named.
inline std::string default_critic(const std::string& adversarial) {
  return adversarial == "began" ? "autoencoder" : "patch";
}

/// Calls `f(critic)` with a new critic of this name.
///
/// @throws c10::ValueError with the list of names if there is none of this name, or if an option is
/// below 1.
template <class F>
void with_critic(const std::string& name, const CriticOptions& options, F f) {
  detail::with_named("a critic", detail::named_critics(), name,
                     [&](const auto& make) { f(make(options)); });
}

}  // namespace limpid
