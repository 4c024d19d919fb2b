#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/concepts.hpp>
#include <support/gradients.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>

// What every content loss and every adversarial loss must do.
namespace limpid_test {

/// What the conformance check cannot know about a content loss.
struct ContentFacts {
  std::string component;         ///< what its error texts begin with
  double at_equal_images = 0.0;  ///< NaN: not a constant
  double gradient_tolerance = 1e-5;
  at::IntArrayRef shape = {2, 3, 8, 9};
};

/// @param loss         what is checked, on float and bfloat16 images.
/// @param double_loss  the same, able to take double images.
template <limpid::ContentLoss L>
void check_content_loss(const L& loss, const L& double_loss, const ContentFacts& facts) {
  torch::manual_seed(1);
  const auto restored = torch::rand(facts.shape) * 2 - 1;
  const auto target = torch::rand(facts.shape) * 2 - 1;

  BOOST_TEST_CONTEXT(facts.component) {
    const auto value = loss(restored, target);
    BOOST_TEST(value.dim() == 0);
    BOOST_TEST((value.scalar_type() == torch::kFloat));
    BOOST_TEST(value.isfinite().template item<bool>());

    if (!std::isnan(facts.at_equal_images)) {
      const auto equal = loss(target, target).template item<double>();
      BOOST_TEST(std::abs(equal - facts.at_equal_images) <= 1e-5 * std::abs(equal) + 1e-9);
    }

    // bfloat16 keeps 8 bits of the images, the loss itself is computed in float.
    const auto half = loss(restored.to(torch::kBFloat16), target.to(torch::kBFloat16));
    BOOST_TEST((half.scalar_type() == torch::kFloat));
    const auto exact = value.template item<double>();
    BOOST_TEST(std::abs(half.template item<double>() - exact) <= 0.05 * std::abs(exact) + 1e-3);

    const auto t = target.to(torch::kDouble);
    const auto error = gradient_error([&](const at::Tensor& r) { return double_loss(r, t); },
                                      restored.to(torch::kDouble));
    BOOST_TEST(error < facts.gradient_tolerance);

    auto leaf = target.clone().requires_grad_();
    auto r = restored.clone().requires_grad_();
    loss(r, leaf).backward();
    BOOST_TEST(r.grad().abs().sum().template item<double>() > 0);

    const auto narrow = target.narrow(3, 0, target.size(3) - 1);
    try {
      loss(restored, narrow);
      BOOST_ERROR("unequal shapes were accepted");
    } catch (const c10::Error& error) {
      const std::string expected = facts.component + ": restored " + c10::str(restored.sizes()) +
                                   " and target " + c10::str(narrow.sizes()) + " differ in shape";
      BOOST_TEST(error.what_without_backtrace() == expected);
    }
  }
}

template <limpid::ContentLoss L>
void check_content_loss(const L& loss, const ContentFacts& facts) {
  check_content_loss(loss, loss, facts);
}

/// A small smooth critic, so that first and second derivatives agree with differences.
struct SmoothCriticImpl : torch::nn::Cloneable<SmoothCriticImpl> {
  SmoothCriticImpl() { reset(); }

  void reset() override {
    first =
        register_module("first", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 4, 3).stride(2)));
    last = register_module("last", torch::nn::Conv2d(torch::nn::Conv2dOptions(4, 1, 2)));
  }

  at::Tensor forward(const at::Tensor& image) {
    return last->forward(torch::tanh(first->forward(image)));
  }

  torch::nn::Conv2d first{nullptr}, last{nullptr};
};
TORCH_MODULE(SmoothCritic);

/// Scores an image by its mean, times one weight: losses follow by hand.
struct MeanCriticImpl : torch::nn::Cloneable<MeanCriticImpl> {
  MeanCriticImpl() { reset(); }
  void reset() override { weight = register_parameter("weight", torch::ones({1})); }
  at::Tensor forward(const at::Tensor& image) {
    return weight.to(image.scalar_type()) * image.mean(at::IntArrayRef{1, 2, 3});
  }
  at::Tensor weight;
};
TORCH_MODULE(MeanCritic);

/// Largest difference between the gradients that `f` gives the parameters of `module` (double) and
/// central differences, relative to the largest.
inline double parameter_gradient_error(torch::nn::Module& module,
                                       const std::function<at::Tensor()>& f, double step = 1e-6,
                                       std::int64_t checked = 8) {
  module.zero_grad();
  f().backward();
  torch::NoGradGuard no_grad;
  double worst = 0;
  double scale = 0;
  for (auto& parameter : module.parameters()) {
    const auto gradient =
        parameter.grad().defined() ? parameter.grad().clone() : torch::zeros_like(parameter);
    scale = std::max(scale, gradient.abs().max().item<double>());
    auto flat = parameter.view({-1});
    const auto stride = std::max<std::int64_t>(1, flat.numel() / checked);
    for (std::int64_t i = 0; i < flat.numel(); i += stride) {
      const auto value = flat[i].item<double>();
      flat[i] = value + step;
      const auto above = f().item<double>();
      flat[i] = value - step;
      const auto below = f().item<double>();
      flat[i] = value;
      const auto slope = (above - below) / (2 * step);
      worst = std::max(worst, std::abs(slope - gradient.view({-1})[i].item<double>()));
    }
  }
  return worst / (scale > 0 ? scale : 1.0);
}

inline bool has_gradient(torch::nn::Module& module) {
  const auto parameters = module.parameters();
  return std::any_of(parameters.begin(), parameters.end(), [](const at::Tensor& parameter) {
    return parameter.grad().defined() && parameter.grad().abs().sum().item<double>() > 0;
  });
}

/// What the conformance check cannot know about an adversarial loss on scores.
struct AdversarialFacts {
  double critic;     ///< on a critic that gives the target 0.5 and the restored image -0.25,
  double generator;  ///< by hand, both
};

template <class L>
requires limpid::AdversarialLossFor<L, SmoothCritic>
void check_score_loss(L loss, const AdversarialFacts& facts) {
  torch::manual_seed(2);
  limpid::Random random{3};
  limpid::AdversarialBatch batch;
  batch.degraded = torch::rand({2, 3, 7, 8}, torch::kDouble) * 2 - 1;
  batch.target = torch::rand({2, 3, 7, 8}, torch::kDouble) * 2 - 1;
  batch.restored = torch::rand({2, 3, 7, 8}, torch::kDouble) * 2 - 1;
  batch.random = &random;

  BOOST_TEST_CONTEXT(std::string{L::name}) {
    SmoothCritic critic;
    critic->to(torch::kDouble);

    // The critic's loss reaches the critic, and nothing behind the restored image.
    auto behind = batch.restored.clone().requires_grad_();
    auto attached = batch;
    attached.restored = behind * 1.0;
    const auto judged = loss.critic_loss(critic, attached);
    BOOST_TEST(judged.dim() == 0);
    judged.backward();
    BOOST_TEST(has_gradient(*critic));
    BOOST_TEST(!behind.grad().defined());
    const auto critic_error = parameter_gradient_error(*critic, [&] {
      torch::AutoGradMode with_graph{true};
      random = limpid::Random{3};
      return loss.critic_loss(critic, batch);
    });
    BOOST_TEST(critic_error < 1e-6);

    // The generator's loss reaches the restored image, and leaves nothing on a frozen critic.
    critic->zero_grad();
    for (auto& parameter : critic->parameters()) {
      parameter.mutable_grad() = at::Tensor();
      parameter.requires_grad_(false);
    }
    attached.restored = behind * 1.0;
    const auto fooled = loss.generator_loss(critic, attached);
    BOOST_TEST(fooled.dim() == 0);
    fooled.backward();
    BOOST_TEST(behind.grad().abs().sum().template item<double>() > 0);
    BOOST_TEST(!has_gradient(*critic));
    const auto generator_error = gradient_error(
        [&](const at::Tensor& restored) {
          auto moved = batch;
          moved.restored = restored;
          return loss.generator_loss(critic, moved);
        },
        batch.restored);
    BOOST_TEST(generator_error < 1e-6);

    // By hand, in float and from scores in bfloat16.
    MeanCritic mean;
    for (const auto type : {torch::kFloat, torch::kBFloat16}) {
      limpid::AdversarialBatch constant;
      constant.degraded = torch::zeros({2, 3, 4, 4}).to(type);
      constant.target = torch::full({2, 3, 4, 4}, 0.5).to(type);
      constant.restored = torch::full({2, 3, 4, 4}, -0.25).to(type);
      constant.random = &random;
      const auto critic_value = loss.critic_loss(mean, constant);
      const auto generator_value = loss.generator_loss(mean, constant);
      BOOST_TEST((critic_value.scalar_type() == torch::kFloat));
      BOOST_TEST((generator_value.scalar_type() == torch::kFloat));
      BOOST_TEST(std::abs(critic_value.template item<double>() - facts.critic) < 2e-5);
      BOOST_TEST(std::abs(generator_value.template item<double>() - facts.generator) < 2e-5);
    }
  }
}

}  // namespace limpid_test
