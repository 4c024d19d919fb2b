#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/losses/adversarial/per_critic.hpp>
#include <limpid/losses/content/any_content.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/training/adversary.hpp>

#include <concepts>
#include <cstdint>
#include <utility>

namespace limpid {

/// A branch without a critic trains on its content loss alone.
struct NoCritic {};

/// The objective of a branch without a critic.
struct NoAdversarial {};

/// A task's data, critic and losses.
///
/// `Branch{.pairs = ..., .content = ...}` deduces the types. The generator minimises
/// weight * (content + adversarial_weight * L_G), the critic adversarial_weight * L_D (thesis,
/// sec. 3.3).
template <class Content = L1, class CriticT = NoCritic, class Adversarial = NoAdversarial>
struct Branch {
  Pairs pairs{};                ///< to train on
  Pairs validation{};           ///< whole images to measure PSNR on; none: no validation
  std::int64_t batch_size = 1;  ///< crops in a step
  std::int64_t crop = 0;        ///< side of a crop in pixels; 0: the trainer's
  Augmentation augmentation{};  ///< flips, turns and mixtures of the crops
  Content content{};            ///< distance of restored from target
  CriticT critic{};             ///< scores for the adversarial loss
  Adversarial adversarial{};    ///< GAN objective
  double adversarial_weight = 0.01;
  std::int64_t critic_updates = 1;  ///< steps of the critic in each step of the generator
  double weight = 1.0;              ///< of the task in the sum that the generator minimises
};

namespace detail {

/// The objective as it is trained with: one copy for each critic of several.
template <class CriticT, class Adversarial>
using FittedObjective =
    decltype(objective_for(std::declval<const CriticT&>(), std::declval<Adversarial>()));

/// What is wrong with a branch's types, if anything.
enum class BranchFault { none, content, lonely_adversarial, lonely_critic, mismatch };

template <class Content, class CriticT, class Adversarial>
consteval BranchFault branch_fault() {
  constexpr bool has_critic = !std::same_as<CriticT, NoCritic>;
  constexpr bool has_adversarial = !std::same_as<Adversarial, NoAdversarial>;
  if constexpr (!ContentLoss<Content>) {
    return BranchFault::content;
  } else if constexpr (has_adversarial && !has_critic) {
    return BranchFault::lonely_adversarial;
  } else if constexpr (has_critic && !has_adversarial) {
    return BranchFault::lonely_critic;
  } else if constexpr (has_critic) {
    return AdversarialLossFor<FittedObjective<CriticT, Adversarial>, CriticT>
               ? BranchFault::none
               : BranchFault::mismatch;
  } else {
    return BranchFault::none;
  }
}

/// Refuses a wrong branch with one line.
template <BranchFault fault>
struct CheckedBranch {
  static_assert(fault != BranchFault::content,
                "limpid: the branch's content loss cannot be called as loss(restored, target)");
  static_assert(fault != BranchFault::lonely_adversarial,
                "limpid: the branch has an adversarial loss but no critic");
  static_assert(fault != BranchFault::lonely_critic,
                "limpid: the branch has a critic but no adversarial loss");
  static_assert(fault != BranchFault::mismatch,
                "limpid: the branch's adversarial loss cannot use its critic");
  static constexpr bool good = fault == BranchFault::none;
};

}  // namespace detail

/// A branch whose losses and critic are chosen at run time; a `Branch` becomes one by itself, and
/// without one it is as `Branch{}` says.
///
/// Move-only, since it owns the state of its adversarial loss.
struct AnyBranch {
  Pairs pairs, validation;
  std::int64_t batch_size, crop;
  bool crop_grows = false;  ///< as `TrainerOptions::progressive_crop` says; not by `crop` then
  Augmentation augmentation;
  AnyContent content;
  Adversary adversary;  ///< critic and GAN objective; empty: content alone
  double adversarial_weight;
  std::int64_t critic_updates;
  double weight;

  AnyBranch() : AnyBranch(Branch<>{}) {}

  template <class Content, class CriticT, class Adversarial>
  AnyBranch(Branch<Content, CriticT, Adversarial> branch)
      : pairs(std::move(branch.pairs)),
        validation(std::move(branch.validation)),
        batch_size(branch.batch_size),
        crop(branch.crop),
        augmentation(branch.augmentation),
        content(L1{}),
        adversarial_weight(branch.adversarial_weight),
        critic_updates(branch.critic_updates),
        weight(branch.weight) {
    if constexpr (detail::CheckedBranch<
                      detail::branch_fault<Content, CriticT, Adversarial>()>::good) {
      content = AnyContent{std::move(branch.content)};
      if constexpr (!std::same_as<CriticT, NoCritic>) {
        auto objective = objective_for(branch.critic, std::move(branch.adversarial));
        adversary = Adversary{std::move(branch.critic), std::move(objective)};
      }
    }
  }
};

}  // namespace limpid
