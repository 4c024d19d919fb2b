#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/model/describe.hpp>

#include <torch/nn.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// A critic and the objective that trains it, behind one virtual call for each use: chosen at run
/// time, and so that the training loop is compiled once. Empty for a branch without a critic.
class Adversary {
 public:
  Adversary() = default;

  /// Takes the module behind `critic`; it is shared, not copied.
  template <class CriticT, AdversarialLossFor<CriticT> Loss>
  Adversary(CriticT critic, Loss loss)
      : pair_(std::make_unique<Typed<CriticT, Loss>>(std::move(critic), std::move(loss))) {}

  explicit operator bool() const { return pair_ != nullptr; }

  /// Null where there is none.
  torch::nn::Module* critic() const { return pair_ ? pair_->critic() : nullptr; }

  // The rest needs a critic.
  at::Tensor critic_loss(const AdversarialBatch& batch) { return pair_->critic_loss(batch); }
  at::Tensor generator_loss(const AdversarialBatch& batch) { return pair_->generator_loss(batch); }
  void after_critic_step() { pair_->after_critic_step(); }

  /// Scalars that the objective wants logged after a critic's step, by name: BEGAN's balance.
  std::vector<std::pair<std::string, at::Tensor>> figures() const { return pair_->figures(); }

  /// What a checkpoint keeps of the objective; empty where it has no state.
  std::vector<double> state() const { return pair_ ? pair_->state() : std::vector<double>{}; }
  void load_state(const std::vector<double>& state) {
    if (pair_) pair_->load_state(state);
  }

  /// Architecture and options of the critic; null where there is none.
  nlohmann::json describe_critic() const {
    return pair_ ? pair_->describe_critic() : nlohmann::json(nullptr);
  }

  /// The objective's name; empty where it has none.
  std::string loss_name() const { return pair_ ? pair_->loss_name() : std::string{}; }

  void to(c10::Device device) {
    if (pair_) pair_->critic()->to(device);
  }

 private:
  struct Pair {
    virtual ~Pair() = default;
    virtual torch::nn::Module* critic() const = 0;
    virtual at::Tensor critic_loss(const AdversarialBatch& batch) = 0;
    virtual at::Tensor generator_loss(const AdversarialBatch& batch) = 0;
    virtual void after_critic_step() = 0;
    virtual std::vector<std::pair<std::string, at::Tensor>> figures() const = 0;
    virtual std::vector<double> state() const = 0;
    virtual void load_state(const std::vector<double>& state) = 0;
    virtual nlohmann::json describe_critic() const = 0;
    virtual std::string loss_name() const = 0;
  };

  template <class CriticT, class Loss>
  struct Typed : Pair {
    Typed(CriticT c, Loss l) : handle(std::move(c)), loss(std::move(l)) {}

    torch::nn::Module* critic() const override { return const_cast<ModuleOf<CriticT>*>(&*handle); }
    at::Tensor critic_loss(const AdversarialBatch& batch) override {
      return loss.critic_loss(handle, batch);
    }
    at::Tensor generator_loss(const AdversarialBatch& batch) override {
      return loss.generator_loss(handle, batch);
    }
    void after_critic_step() override {
      if constexpr (requires { loss.after_critic_step(handle); }) {
        torch::NoGradGuard no_grad;
        loss.after_critic_step(handle);
      }
    }
    std::vector<std::pair<std::string, at::Tensor>> figures() const override {
      if constexpr (requires { loss.figures(); }) {
        return loss.figures();
      } else {
        return {};
      }
    }
    std::vector<double> state() const override {
      if constexpr (requires { loss.state(); }) {
        return loss.state();
      } else {
        return {};
      }
    }
    void load_state(const std::vector<double>& state) override {
      if constexpr (requires { loss.load_state(state); }) loss.load_state(state);
    }
    nlohmann::json describe_critic() const override { return detail::describe(handle); }
    std::string loss_name() const override {
      if constexpr (requires { std::string{Loss::name}; }) {
        return std::string{Loss::name};
      } else if constexpr (requires { std::string{loss.name()}; }) {
        return loss.name();
      } else {
        return {};
      }
    }

    CriticT handle;
    Loss loss;
  };

  std::unique_ptr<Pair> pair_;
};

}  // namespace limpid
