#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/nn.h>
#include <nlohmann/json.hpp>

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/training/model_file.hpp>

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
  Content content{};            ///< distance of restored from target
  CriticT critic{};             ///< scores for the adversarial loss
  Adversarial adversarial{};    ///< GAN objective
  double adversarial_weight = 0.01;
  std::int64_t critic_updates = 1;  ///< steps of the critic in each step of the generator
  double weight = 1.0;              ///< of the task in the sum that the generator minimises
};

namespace detail {

/// A branch's critic and losses behind one virtual call each, so that the training loop is compiled
/// once and not for every combination of them.
class BranchTerms {
 public:
  virtual ~BranchTerms() = default;
  virtual std::vector<LossTerm> content(const at::Tensor& restored,
                                        const at::Tensor& target) const = 0;
  /// Null for a branch without a critic; then the adversarial members are not called.
  virtual torch::nn::Module* critic() const = 0;
  virtual at::Tensor critic_loss(const AdversarialBatch& batch) = 0;
  virtual at::Tensor generator_loss(const AdversarialBatch& batch) = 0;
  virtual void after_critic_step() = 0;
  virtual std::vector<double> loss_state() const = 0;
  virtual void load_loss_state(const std::vector<double>& state) = 0;
  virtual nlohmann::json describe_critic() const = 0;
  /// Names of the content and adversarial loss, where they have one.
  virtual nlohmann::json describe_losses() const = 0;
  virtual void to(c10::Device device) = 0;
};

template <class Content, class CriticT, class Adversarial>
class TypedBranchTerms : public BranchTerms {
  static constexpr bool kHasCritic = !std::same_as<CriticT, NoCritic>;

 public:
  TypedBranchTerms(Content content, CriticT critic, Adversarial adversarial)
      : content_(std::move(content)),
        critic_(std::move(critic)),
        adversarial_(std::move(adversarial)) {}

  std::vector<LossTerm> content(const at::Tensor& restored,
                                const at::Tensor& target) const override {
    return loss_terms(content_, restored, target);
  }

  torch::nn::Module* critic() const override {
    if constexpr (kHasCritic) {
      return const_cast<ModuleOf<CriticT>*>(&*critic_);
    } else {
      return nullptr;
    }
  }

  at::Tensor critic_loss(const AdversarialBatch& batch) override {
    if constexpr (kHasCritic) {
      return adversarial_.critic_loss(critic_, batch);
    } else {
      return {};
    }
  }

  at::Tensor generator_loss(const AdversarialBatch& batch) override {
    if constexpr (kHasCritic) {
      return adversarial_.generator_loss(critic_, batch);
    } else {
      return {};
    }
  }

  void after_critic_step() override {
    if constexpr (requires { adversarial_.after_critic_step(critic_); }) {
      torch::NoGradGuard no_grad;
      adversarial_.after_critic_step(critic_);
    }
  }

  std::vector<double> loss_state() const override {
    if constexpr (requires { adversarial_.state(); }) {
      return adversarial_.state();
    } else {
      return {};
    }
  }

  void load_loss_state(const std::vector<double>& state) override {
    if constexpr (requires { adversarial_.load_state(state); }) adversarial_.load_state(state);
  }

  nlohmann::json describe_critic() const override {
    if constexpr (kHasCritic) {
      return describe(critic_);
    } else {
      return nullptr;
    }
  }

  nlohmann::json describe_losses() const override {
    nlohmann::json losses = nlohmann::json::object();
    if constexpr (NamedContentLoss<Content>) losses["content"] = loss_name(content_);
    if constexpr (requires { std::string{Adversarial::name}; }) {
      losses["adversarial"] = std::string{Adversarial::name};
    }
    return losses;
  }

  void to(c10::Device device) override {
    if constexpr (kHasCritic) critic_->to(device);
    if constexpr (requires { content_.to(device); }) content_.to(device);
  }

 private:
  Content content_;
  CriticT critic_;
  Adversarial adversarial_;
};

/// A branch as the training loop sees it.
struct BranchSetup {
  Pairs pairs;
  Pairs validation;
  std::int64_t batch_size = 1;
  std::int64_t crop = 0;
  double adversarial_weight = 0;
  std::int64_t critic_updates = 1;
  double weight = 1;
  std::unique_ptr<BranchTerms> terms;
};

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
    return AdversarialLossFor<Adversarial, CriticT> ? BranchFault::none : BranchFault::mismatch;
  } else {
    return BranchFault::none;
  }
}

}  // namespace detail
}  // namespace limpid
