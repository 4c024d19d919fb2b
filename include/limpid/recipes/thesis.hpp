#pragma once

#include <limpid/backbones/vgg19.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/contextual.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/model/network.hpp>
#include <limpid/recipes/adversaries.hpp>
#include <limpid/recipes/recipe.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace limpid::recipes {

/// What the paper's generator and critics minimise (sec. 3.3): L_X + 0.5 L_1 + 0.01 L_adv, and
/// 0.01 L_D.
struct ThesisObjective {
  double l1_weight = 0.5;                      ///< sec. 3.3
  double contextual_weight = 0;                ///< 0.5 in one row of Table 4.2 (sec. 4.4)
  std::string adversarial = "wasserstein-gp";  ///< sec. 3.2; others of Fig. 2.5 by their names
  std::string critic = "patch";                ///< sec. 3.2
  std::int64_t critic_width = 64;              ///< channels of the critic's first layer (sec. 3.2)
  /// The published code's: with the paper's weight of L_adv it is the form that neither vanishes
  /// beside the content nor outweighs it (docs/losses.md, "Gradient penalties").
  PenaltySlope penalty_slope = PenaltySlope::per_pixel;
  double adversarial_weight = 0.01;  ///< of L_adv and of the critic's loss (sec. 3.3)
  std::int64_t critic_updates = 1;   ///< 5 in one row of Table 4.2 (sec. 4.4)
};

/// A recipe of Martyniuk, "Multi-task learning for image restoration", UCU 2019, as a value: its
/// numbers can be changed before it is used.
struct ThesisRecipe {
  std::string name;
  TrainerOptions options{};
  Network network{};
  ThesisObjective objective{};
  std::map<std::string, std::int64_t, std::less<>> batch_sizes{{"deblur", 2}};  ///< others: 1 (4.3)

  /// Whether a branch needs the weights of VGG-19.
  static constexpr bool needs_vgg = true;

  std::int64_t batch_size(std::string_view task) const {
    const auto found = batch_sizes.find(task);
    return found == batch_sizes.end() ? 1 : found->second;
  }

  /// A task's branch with a new critic.
  ///
  /// @param vgg  VGG-19 as deep as conv3_3, with ImageNet weights.
  /// @throws c10::ValueError if the objective or the critic is unknown, or they do not fit.
  template <class OnlyIfCalled = void>
  AnyBranch branch(std::string_view task, Pairs pairs, const VGG19& vgg) const {
    AnyBranch branch;
    branch.pairs = std::move(pairs);
    branch.batch_size = batch_size(task);
    const auto content = Perceptual{vgg} + objective.l1_weight * L1{};
    branch.content =
        objective.contextual_weight > 0
            ? AnyContent{content + objective.contextual_weight * Contextual{.vgg = vgg}}
            : AnyContent{content};
    branch.adversary = make_adversary<OnlyIfCalled>(
        objective.adversarial, objective.critic, objective.critic_width, objective.penalty_slope);
    branch.adversarial_weight = objective.adversarial_weight;
    branch.critic_updates = objective.critic_updates;
    return branch;
  }
};

static_assert(Recipe<ThesisRecipe>);

/// Options of every recipe of the paper: Adam at 1e-4 for generator and critics, 40 epochs constant
/// and 40 linear to 1e-7, crops of 256 x 256 (sec. 4.3).
inline TrainerOptions thesis_options(std::string name) {
  TrainerOptions options;
  options.length = Epochs{80};
  options.rate = 1e-4;
  options.critic_rate = 1e-4;
  options.schedule =
      ConstantThenLinear{.constant_share = 0.5, .final_rate = 1e-7, .by_epochs = true};
  options.crop = 256;
  options.recipe = std::move(name);
  return options;
}

}  // namespace limpid::recipes
