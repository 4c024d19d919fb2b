#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/losses/adversarial/gradient_penalty.hpp>
#include <limpid/model/describe.hpp>

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// A critic and the objective that trains it, chosen at run time, and so that the training loop is
/// compiled once. Empty for a branch without a critic.
///
/// Its hooks are functions: those that an objective may leave out do nothing and give nothing then.
/// Move-only, since it owns the objective's state; the critic is shared, not copied.
class Adversary {
 public:
  using Loss = std::function<at::Tensor(const AdversarialBatch&)>;
  using Figures = std::vector<std::pair<std::string, at::Tensor>>;
  using State = std::vector<double>;

  // Without a critic there are no losses; all else does nothing and gives nothing.
  Loss critic_loss{};                                          ///< what the critic minimises
  Loss generator_loss{};                                       ///< what the generator minimises
  std::function<void()> after_critic_step{[] {}};              ///< after each step of the critic
  bool acts_after_critic_step = false;                         ///< whether that does anything
  std::function<Figures()> figures{[] { return Figures{}; }};  ///< scalars to log after that
  std::function<State()> state{[] { return State{}; }};        ///< what a checkpoint keeps
  std::function<void(const State&)> load_state{[](const State&) {}};

  Adversary() = default;

  /// @param handle  the critic; its module is shared.
  template <class CriticT, AdversarialLossFor<CriticT> Objective>
  Adversary(CriticT handle, Objective objective)
      : critic_(&*handle),
        description_(detail::describe(handle)),
        name_(name_of(objective)),
        slope_(slope_of(objective)) {
    struct Pair {
      CriticT critic;
      Objective loss;
    };
    const auto pair = std::make_shared<Pair>(Pair{std::move(handle), std::move(objective)});
    critic_loss = [pair](const auto& batch) { return pair->loss.critic_loss(pair->critic, batch); };
    generator_loss = [pair](const auto& batch) {
      return pair->loss.generator_loss(pair->critic, batch);
    };
    // The rest is optional: an objective has what it names.
    if constexpr (requires { pair->loss.after_critic_step(pair->critic); }) {
      acts_after_critic_step = true;
      after_critic_step = [pair] {
        torch::NoGradGuard no_grad;
        pair->loss.after_critic_step(pair->critic);
      };
    }
    if constexpr (requires { pair->loss.figures(); }) {
      figures = [pair] { return pair->loss.figures(); };
    }
    if constexpr (requires { pair->loss.state(); }) {
      state = [pair] { return pair->loss.state(); };
      load_state = [pair](const State& numbers) { pair->loss.load_state(numbers); };
    }
  }

  Adversary(Adversary&&) = default;
  Adversary& operator=(Adversary&&) = default;

  explicit operator bool() const { return critic_ != nullptr; }

  /// Null where there is none.
  torch::nn::Module* critic() const { return critic_; }

  /// Architecture and options of the critic; null where there is none.
  const nlohmann::json& describe_critic() const { return description_; }

  /// The objective's name; empty where it has none.
  const std::string& loss_name() const { return name_; }

  /// By its name, which slope the objective's gradient penalty holds; empty where it has none.
  const std::string& penalty_slope() const { return slope_; }

  void to(c10::Device device) {
    if (critic_ != nullptr) critic_->to(device);
  }

 private:
  template <class Objective>
  static std::string name_of(const Objective& objective) {
    if constexpr (requires { std::string{Objective::name}; }) {
      return std::string{Objective::name};
    } else if constexpr (requires { std::string{objective.name()}; }) {
      return objective.name();
    } else {
      return {};
    }
  }

  template <class Objective>
  static std::string slope_of(const Objective& objective) {
    std::string name;
    if constexpr (requires { objective.slope; }) {
      kPenaltySlopes.for_each([&](const auto& entry) {
        if (entry.value == objective.slope) name = entry.name;
      });
    } else if constexpr (requires { objective.part().slope; }) {
      name = slope_of(objective.part());
    }
    return name;
  }

  torch::nn::Module* critic_ = nullptr;
  nlohmann::json description_;
  std::string name_;
  std::string slope_;
};

}  // namespace limpid
