#pragma once

// limpid-train: losses that the command line puts in the place of the recipe's.

#include <limpid/recipes/adversaries.hpp>
#include <limpid/training/branch.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

#include "../changes.hpp"
#include "../numbers.hpp"
#include "../options.hpp"

namespace examples {

/// What is not given stays the recipe's.
struct LossOptions {
  std::string adversarial, critic;  ///< names; empty where not given
  Changes<limpid::AnyBranch> branch;

  /// Changes a branch that a recipe made; its critic is new where one of both names is given.
  void apply(limpid::AnyBranch& made) const {
    if (!adversarial.empty() || !critic.empty()) {
      made.adversary = as_usage("--adversarial, --critic: ", [&] {
        return limpid::recipes::make_adversary(adversarial.empty() ? "wasserstein-gp" : adversarial,
                                               critic);
      });
    }
    branch.apply(made);
  }
};

/// Adds the options of losses.
inline void add_losses(CLI::App& app, LossOptions& losses) {
  app.add_option("--adversarial", losses.adversarial,
                 "GAN objective: " + limpid::kObjectives.list())
      ->check(one_of(limpid::kObjectives))
      ->type_name("NAME");
  app.add_option("--critic", losses.critic,
                 "Critic: " + limpid::kCritics.list() + " [autoencoder for began, else patch]")
      ->check(one_of(limpid::kCritics))
      ->type_name("NAME");
  losses.branch
      .bind(app, "--adversarial-weight", &limpid::AnyBranch::adversarial_weight,
            "Of the GAN losses, beside content")
      ->check(positive())
      ->type_name("W");
  losses.branch
      .bind(app, "--critic-updates", &limpid::AnyBranch::critic_updates,
            "Steps of the critic in each training step")
      ->check(Whole{})
      ->type_name("N");
}

}  // namespace examples
