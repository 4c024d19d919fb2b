#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/losses/adversarial/objective_name.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// A GAN objective for a critic that has a loss of its own: the critic minimises the sum. What the
/// generator minimises is the objective's.
///
/// The figure `own_loss` is logged beside the objective's.
template <class Loss>
class WithOwnLoss : public detail::NameOf<Loss> {
 public:
  WithOwnLoss() = default;
  explicit WithOwnLoss(Loss loss) : loss_(std::move(loss)) {}

  /// The objective.
  const Loss& part() const { return loss_; }

  template <CriticWithOwnLoss C>
  requires AdversarialLossFor<Loss, C> at::Tensor critic_loss(C& critic,
                                                              const AdversarialBatch& batch) {
    const auto own = critic->own_loss(batch);
    own_loss_ = own.detach();
    return loss_.critic_loss(critic, batch) + own;
  }

  template <CriticWithOwnLoss C>
  requires AdversarialLossFor<Loss, C> at::Tensor generator_loss(C& critic,
                                                                 const AdversarialBatch& batch) {
    return loss_.generator_loss(critic, batch);
  }

  /// What the objective does after a step of its critic.
  template <CriticWithOwnLoss C>
  void after_critic_step(C& critic) requires requires(Loss& loss, C& own) {
    loss.after_critic_step(own);
  }
  { loss_.after_critic_step(critic); }

  std::vector<std::pair<std::string, at::Tensor>> figures() const {
    std::vector<std::pair<std::string, at::Tensor>> all;
    if constexpr (requires(const Loss& loss) { loss.figures(); }) all = loss_.figures();
    if (own_loss_.defined()) all.emplace_back("own_loss", own_loss_);
    return all;
  }

  /// That of the objective.
  std::vector<double> state() const {
    if constexpr (requires(const Loss& loss) { loss.state(); }) return loss_.state();
    return {};
  }

  /// @throws c10::ValueError if `numbers` is not what `state` gives.
  void load_state(const std::vector<double>& numbers) {
    if constexpr (requires(Loss & loss) { loss.load_state(numbers); }) loss_.load_state(numbers);
  }

 private:
  Loss loss_;
  at::Tensor own_loss_;
};

}  // namespace limpid
