#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/losses/adversarial/objective_name.hpp>
#include <limpid/losses/adversarial/with_own_loss.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

template <class Loss, class C>
concept ActsAfterStepOf = requires(Loss& loss, C& critic) {
  loss.after_critic_step(critic);
};

template <class Loss, class Parts>
inline constexpr bool kActsAfterAny = false;

template <class Loss, class... Parts>
inline constexpr bool kActsAfterAny<Loss, std::tuple<Parts...>> = (ActsAfterStepOf<Loss, Parts> ||
                                                                   ...);

template <class Loss, class Parts>
inline constexpr bool kFitsEach = false;

template <class Loss, class... Parts>
inline constexpr bool kFitsEach<Loss, std::tuple<Parts...>> = (AdversarialLossFor<Loss, Parts> &&
                                                               ...);

}  // namespace detail

/// One GAN objective for each critic of several: the loss is the mean of theirs, on both sides.
///
/// Source: Kupyn et al., "DeblurGAN-v2", ICCV 2019, sec. 3.2 (double-scale critic).
/// Every critic has its own copy of the objective, so relative means, penalties, clipping and state
/// are never shared: `PerCritic{RelativisticLeastSquares{}}`.
template <class Loss>
class PerCritic : public detail::NameOf<Loss> {
 public:
  PerCritic() = default;
  explicit PerCritic(Loss loss) : loss_(std::move(loss)) {}

  /// The objective that each critic has a copy of.
  const Loss& part() const { return loss_; }

  template <CompositeCritic C>
  requires detail::kFitsEach<Loss, PartsOf<C>> at::Tensor critic_loss(
      C& critic, const AdversarialBatch& batch) {
    return mean(critic, [&](Loss& loss, auto& part) { return loss.critic_loss(part, batch); });
  }

  template <CompositeCritic C>
  requires detail::kFitsEach<Loss, PartsOf<C>> at::Tensor generator_loss(
      C& critic, const AdversarialBatch& batch) {
    return mean(critic, [&](Loss& loss, auto& part) { return loss.generator_loss(part, batch); });
  }

  /// What each objective does after a step of its critic.
  template <CompositeCritic C>
  requires detail::kFitsEach<Loss, PartsOf<C>> && detail::kActsAfterAny<Loss, PartsOf<C>>
  void after_critic_step(C& critic) {
    for_each(critic, [](Loss& loss, auto& part) {
      if constexpr (requires { loss.after_critic_step(part); }) loss.after_critic_step(part);
    });
  }

  /// The figures of all objectives, numbered from 1 in the order of the parts: "slope_2".
  std::vector<std::pair<std::string, at::Tensor>> figures() const {
    std::vector<std::pair<std::string, at::Tensor>> all;
    if constexpr (requires(const Loss& loss) { loss.figures(); }) {
      for (std::size_t i = 0; i < losses_.size(); ++i) {
        for (const auto& [figure, value] : losses_[i].figures()) {
          all.emplace_back(figure + "_" + std::to_string(i + 1), value);
        }
      }
    }
    return all;
  }

  /// The states of all objectives, one after another.
  std::vector<double> state() const {
    std::vector<double> numbers;
    if constexpr (requires(const Loss& loss) { loss.state(); }) {
      for (const auto& loss : losses_) {
        const auto part = loss.state();
        numbers.insert(numbers.end(), part.begin(), part.end());
      }
    }
    return numbers;
  }

  /// @throws c10::ValueError if `numbers` is not what `state` gives.
  void load_state(const std::vector<double>& numbers) {
    losses_.clear();
    if constexpr (requires(Loss & loss) { loss.load_state(loss.state()); }) {
      const auto size = loss_.state().size();
      TORCH_CHECK_VALUE(size > 0 && numbers.size() % size == 0, "PerCritic: expected a state of ",
                        size, " numbers for each critic, got ", numbers.size());
      for (auto first = numbers.begin(); first != numbers.end(); first += size) {
        losses_.push_back(loss_);
        losses_.back().load_state({first, first + size});
      }
    }
  }

  /// The objectives, one for each critic in the order of its parts; none before their first use.
  const std::vector<Loss>& losses() const { return losses_; }

 private:
  template <class C, class F>
  void for_each(C& critic, F f) {
    auto parts = critic->parts();
    constexpr auto count = std::tuple_size_v<PartsOf<C>>;
    if (losses_.empty()) losses_.assign(count, loss_);
    TORCH_CHECK_VALUE(losses_.size() == count, "PerCritic: expected a critic of ", losses_.size(),
                      " parts, as before, got ", count);
    std::apply(
        [&](auto&... part) {
          std::size_t i = 0;
          (f(losses_[i++], part), ...);
        },
        parts);
  }

  template <class C, class F>
  at::Tensor mean(C& critic, F f) {
    at::Tensor sum;
    for_each(critic, [&](Loss& loss, auto& part) {
      const auto value = f(loss, part);
      sum = sum.defined() ? sum + value : value;
    });
    return sum / static_cast<double>(std::tuple_size_v<PartsOf<C>>);
  }

  Loss loss_;
  std::vector<Loss> losses_;
};

/// The objective that a critic takes: `loss` itself, `PerCritic` of it for a critic made of
/// several, or `WithOwnLoss` for one that has a loss of its own.
template <class C, class Loss>
auto objective_for(const C&, Loss loss) {
  if constexpr (CompositeCritic<C>) {
    return PerCritic<Loss>(std::move(loss));
  } else if constexpr (CriticWithOwnLoss<C>) {
    return WithOwnLoss<Loss>(std::move(loss));
  } else {
    return loss;
  }
}

/// An objective that is one for each critic already.
template <CompositeCritic C, class Loss>
PerCritic<Loss> objective_for(const C&, PerCritic<Loss> loss) {
  return loss;
}

/// An objective that adds the critic's own already.
template <CriticWithOwnLoss C, class Loss>
WithOwnLoss<Loss> objective_for(const C&, WithOwnLoss<Loss> loss) {
  return loss;
}

}  // namespace limpid
