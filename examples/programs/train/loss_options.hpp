#pragma once

// limpid-train: losses that the command line puts in the place of the recipe's.

#include <limpid/losses/content/content_losses.hpp>
#include <limpid/recipes/adversaries.hpp>
#include <limpid/recipes/recipe.hpp>
#include <limpid/training/branch.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../changes.hpp"
#include "../numbers.hpp"
#include "../options.hpp"

namespace examples {

/// What is not given stays the recipe's.
struct LossOptions {
  std::string content;               ///< an expression of content losses; empty where not given
  std::vector<std::string> weights;  ///< NAME=FILE, of the networks that content losses take
  std::string adversarial, critic;   ///< names; empty where not given
  std::optional<limpid::PenaltySlope> slope;
  Changes<limpid::AnyBranch> branch;

  /// The networks that `content`, or else the recipe's content loss, looks through.
  /// @param vgg  the file of VGG-19; empty where not given
  /// @throws UsageError if `content` needs one whose weights are not given, and for weights that
  ///         nothing would look at.
  template <limpid::Recipe R>
  limpid::ContentNetworks networks(const std::filesystem::path& vgg, const R& recipe) const {
    auto given = given_networks(vgg);
    auto needed = R::needs_vgg ? std::vector<std::string>{"vgg19"} : std::vector<std::string>{};
    if (!content.empty()) needed = limpid::content_networks(content);
    for (const auto& name : given.names()) {
      if (std::find(needed.begin(), needed.end(), name) != needed.end()) continue;
      throw UsageError(option_of(name) + ": nothing would look through " + name + ", not " +
                       (content.empty() ? "the content loss of recipe " + recipe.name
                                        : "--content '" + content + "'"));
    }
    if (content.empty()) return given;
    for (const auto& name : needed) {
      if (given.has(name)) continue;
      throw UsageError("--content: '" + content + "' needs the weights of " + name + ": " +
                       option_of(name));
    }
    return given;
  }

  /// Changes a recipe's objective, where it has one; a slope without any critic, or for an
  /// objective without a penalty, is wrong usage.
  /// @return the slope of new critics
  template <class R>
  limpid::PenaltySlope change_slope(R& recipe) const {
    if (slope && !adversarial.empty()) {
      limpid::with_adversarial(adversarial, [&](const auto& loss) {
        if constexpr (!requires { loss.slope; }) {
          throw UsageError("--penalty-slope: objective '" + adversarial +
                           "' has no gradient penalty");
        }
      });
    }
    if constexpr (requires { recipe.objective.penalty_slope; }) {
      if (slope) recipe.objective.penalty_slope = *slope;
      return recipe.objective.penalty_slope;
    } else {
      if (slope && adversarial.empty() && critic.empty()) {
        throw UsageError("--penalty-slope: recipe " + recipe.name +
                         " has no critic; --adversarial NAME gives it one");
      }
      return slope.value_or(limpid::PenaltySlope::mean);
    }
  }

  /// Changes a branch that a recipe made; its critic is new where one of both names is given.
  /// @param new_slope  which slope a new critic's penalty holds
  void apply(limpid::AnyBranch& made, limpid::PenaltySlope new_slope,
             limpid::ContentNetworks& networks) const {
    if (!content.empty()) made.content = limpid::content_by_name(content, networks);
    if (!adversarial.empty() || !critic.empty()) {
      made.adversary = as_usage("--adversarial, --critic: ", [&] {
        return limpid::recipes::make_adversary(adversarial.empty() ? "wasserstein-gp" : adversarial,
                                               critic, limpid::CriticOptions{}.width, new_slope);
      });
    }
    branch.apply(made);
  }

 private:
  /// "--weights NAME=FILE", and what else gives that network its weights.
  static std::string option_of(const std::string& network) {
    return "--weights " + network + "=FILE" + (network == "vgg19" ? ", or --vgg FILE" : "");
  }

  limpid::ContentNetworks given_networks(const std::filesystem::path& vgg) const {
    limpid::ContentNetworks given;
    if (!vgg.empty()) given.set_file("vgg19", vgg);
    for (const auto& text : weights) {
      const auto equals = text.find('=');
      if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
        throw UsageError("--weights: expected NAME=FILE, got '" + text + "'");
      }
      const auto name = text.substr(0, equals);
      as_usage("--weights: ", [&] { limpid::check_content_network(name); });
      if (given.has(name)) throw UsageError("--weights: weights of " + name + " are given twice");
      given.set_file(name, text.substr(equals + 1));
    }
    return given;
  }
};

/// Adds the options of losses.
inline void add_losses(CLI::App& app, LossOptions& losses) {
  app.add_option("--content", losses.content,
                 "Content loss, a sum of weighted names, options behind a name: \"perceptual + 0.5 "
                 "l1\", \"psnr:floor=3e-4\"; of " +
                     limpid::kContentLosses.list())
      ->check(CLI::Validator{[](std::string& text) -> std::string {
                               try {
                                 limpid::content_networks(text);
                               } catch (const c10::ValueError& error) {
                                 return error.what_without_backtrace();
                               }
                               return {};
                             },
                             ""})
      ->type_name("SUM");
  app.add_option(
         "--weights", losses.weights,
         "Weights of a network that a content loss looks through, by its name: vgg19; "
         "lpips-alex (heads) and alexnet; lpips-vgg and vgg16; lpips-squeeze and squeezenet")
      ->type_name("NAME=FILE");
  app.add_option("--adversarial", losses.adversarial,
                 "GAN objective: " + limpid::kObjectives.list())
      ->check(one_of(limpid::kObjectives))
      ->type_name("NAME");
  app.add_option("--critic", losses.critic,
                 "Critic: " + limpid::kCritics.list() + " [autoencoder for began, else patch]")
      ->check(one_of(limpid::kCritics))
      ->type_name("NAME");
  app.add_option_function<std::string>(
         "--penalty-slope",
         [&losses](const std::string& name) { losses.slope = limpid::kPenaltySlopes.at(name); },
         "Whose slope a gradient penalty holds: " + limpid::kPenaltySlopes.list() +
             " [the recipe's; mean for one without a critic]")
      ->check(one_of(limpid::kPenaltySlopes))
      ->type_name("NAME");
  losses.branch
      .bind(app, "--adversarial-weight", &limpid::AnyBranch::adversarial_weight,
            "Of the GAN losses, beside content")
      ->check(weight())
      ->type_name("W");
  losses.branch
      .bind(app, "--critic-updates", &limpid::AnyBranch::critic_updates,
            "Steps of the critic in each training step")
      ->check(Whole{})
      ->type_name("N");
}

}  // namespace examples
