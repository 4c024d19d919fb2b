// The objectives on a PatchGAN against the values of an independent implementation.
#include <limpid/critics/autoencoder.hpp>
#include <limpid/critics/conditional.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/dragan.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <limpid/losses/adversarial/least_squares.hpp>
#include <limpid/losses/adversarial/minimax.hpp>
#include <limpid/losses/adversarial/non_saturating.hpp>
#include <limpid/losses/adversarial/relativistic.hpp>
#include <limpid/losses/adversarial/relativistic_hinge.hpp>
#include <limpid/losses/adversarial/relativistic_least_squares.hpp>
#include <limpid/losses/adversarial/relativistic_pairs.hpp>
#include <limpid/losses/adversarial/softplus_r1.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <support/fixtures.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::Fixture;
using limpid_test::kForwardAgreement;
using limpid_test::kGradientAgreement;
using limpid_test::relative_difference;

PatchGAN<> fixture_critic(const Fixture& fixture) {
  PatchGAN<> critic{PatchGANOptions{.width = 16}};
  fixture.fill(*critic, "critic");
  return critic;
}

AdversarialBatch fixture_batch(const Fixture& fixture) {
  constexpr std::int64_t shape[] = {2, 3, 64, 64};
  return {fixture.input("degraded", shape), fixture.input("restored", shape),
          fixture.input("target", shape)};
}

/// Both losses and their gradients; `weight_key` is the published
/// name of the first weight.
void compare(const Fixture& fixture, torch::nn::Module& critic, AdversarialBatch batch,
             const std::string& name, const std::string& weight_key,
             const std::function<at::Tensor(const AdversarialBatch&)>& critic_loss,
             const std::function<at::Tensor(const AdversarialBatch&)>& generator_loss) {
  BOOST_TEST_CONTEXT(name) {
    const auto first_weight = critic.parameters()[0];
    const auto judged = critic_loss(batch);
    BOOST_TEST(relative_difference(judged, fixture.at(name + ".critic")) < kForwardAgreement);
    const auto weight_gradient = torch::autograd::grad({judged}, {first_weight})[0];
    BOOST_TEST(relative_difference(weight_gradient, fixture.at(name + ".critic.grad." +
                                                               weight_key)) < kGradientAgreement);

    batch.restored = batch.restored.clone().requires_grad_();
    const auto fooled = generator_loss(batch);
    BOOST_TEST(relative_difference(fooled, fixture.at(name + ".generator")) < kForwardAgreement);
    const auto image_gradient = torch::autograd::grad({fooled}, {batch.restored})[0];
    BOOST_TEST(relative_difference(image_gradient, fixture.at(name + ".generator.grad.restored")) <
               kGradientAgreement);
  }
}

template <class C, class L>
void compare(const Fixture& fixture, C& critic, const std::string& name, L loss,
             const std::string& weight_key = "critic.model.0.weight") {
  compare(
      fixture, *critic, fixture_batch(fixture), name, weight_key,
      [&](const AdversarialBatch& batch) { return loss.critic_loss(critic, batch); },
      [&](const AdversarialBatch& batch) { return loss.generator_loss(critic, batch); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(adversarial_parity)

BOOST_AUTO_TEST_CASE(objectives_of_the_thesis) {
  if (!Fixture::available("adversarial")) return;
  const Fixture fixture{"adversarial"};
  auto critic = fixture_critic(fixture);
  const auto batch = fixture_batch(fixture);
  BOOST_TEST(relative_difference(critic->forward(batch.target), fixture.at("scores.target")) <
             kForwardAgreement);
  BOOST_TEST(relative_difference(critic->forward(batch.restored), fixture.at("scores.restored")) <
             kForwardAgreement);

  compare(fixture, critic, "minimax", Minimax{});
  compare(fixture, critic, "non_saturating", NonSaturating{});
  compare(fixture, critic, "wasserstein", Wasserstein{});
  compare(fixture, critic, "least_squares", LeastSquares{});
  compare(fixture, critic, "hinge", Hinge{});
  compare(fixture, critic, "relativistic", Relativistic{});
  compare(fixture, critic, "relativistic_least_squares", RelativisticLeastSquares{});
}

BOOST_AUTO_TEST_CASE(gradient_penalties_at_the_points_of_the_fixture) {
  if (!Fixture::available("adversarial")) return;
  const Fixture fixture{"adversarial"};
  auto critic = fixture_critic(fixture);
  const auto batch = fixture_batch(fixture);
  const auto alpha = ((fixture.noise("alpha", {2, 1, 1, 1}) + 1) / 2).to(torch::kFloat);
  const auto between = alpha * batch.target + (1 - alpha) * batch.restored;
  const auto perturbed =
      batch.target + (0.1 * fixture.noise("perturbation", {2, 3, 64, 64})).to(torch::kFloat);

  compare(
      fixture, *critic, batch, "wasserstein_gp", "critic.model.0.weight",
      [&](const AdversarialBatch& b) {
        return Wasserstein{}.critic_loss(critic, b) +
               10 * gradient_penalty(critic, between, b, 1.0, PenaltySlope::sum);
      },
      [&](const AdversarialBatch& b) { return WassersteinGP{}.generator_loss(critic, b); });
  compare(
      fixture, *critic, batch, "dragan", "critic.model.0.weight",
      [&](const AdversarialBatch& b) {
        return DRAGAN<Minimax>{.slope = PenaltySlope::sum}.critic_loss_at(perturbed, critic, b);
      },
      [&](const AdversarialBatch& b) { return DRAGAN<Minimax>{}.generator_loss(critic, b); });
}

BOOST_AUTO_TEST_CASE(relativistic_forms_and_penalties_around_the_target) {
  if (!Fixture::available("adversarial_more")) return;
  const Fixture fixture{"adversarial_more"};
  auto critic = fixture_critic(fixture);
  compare(fixture, critic, "relativistic", Relativistic{});
  compare(fixture, critic, "relativistic_constant_means", Relativistic{.constant_means = true});
  compare(fixture, critic, "relativistic_least_squares", RelativisticLeastSquares{});
  compare(fixture, critic, "relativistic_hinge", RelativisticHinge{});
  compare(fixture, critic, "relativistic_pairs", RelativisticPairs{});

  const auto batch = fixture_batch(fixture);
  compare(fixture, critic, "r1", SoftplusR1{.gamma = 10.0, .slope = PenaltySlope::sum});
  BOOST_TEST(
      relative_difference(5 * gradient_penalty(critic, batch.target, batch, 0.0, PenaltySlope::sum),
                          fixture.at("r1.penalty")) < kForwardAgreement);

  const auto uniform = ((fixture.noise("dragan.uniform", {2, 3, 64, 64}) + 1) / 2);
  const auto point = dragan_point(batch.target, uniform.to(torch::kFloat));
  const auto expected = batch.target.to(torch::kDouble) +
                        0.5 * fixture.at("dragan_published.std").to(torch::kDouble) * uniform;
  BOOST_TEST(relative_difference(point, expected) < kForwardAgreement);
  BOOST_TEST(
      relative_difference(10 * gradient_penalty(critic, point, batch, 1.0, PenaltySlope::sum),
                          fixture.at("dragan_published.penalty")) < kForwardAgreement);
  DRAGAN<> dragan{.penalty = 10.0, .slope = PenaltySlope::sum};
  compare(
      fixture, *critic, batch, "dragan_published", "critic.model.0.weight",
      [&](const AdversarialBatch& b) { return dragan.critic_loss_at(point, critic, b); },
      [&](const AdversarialBatch& b) { return dragan.generator_loss(critic, b); });
}

BOOST_AUTO_TEST_CASE(boundary_equilibrium) {
  if (!Fixture::available("adversarial_more")) return;
  const Fixture fixture{"adversarial_more"};
  Autoencoder critic{AutoencoderOptions{.width = 16}};
  fixture.fill(*critic, "autoencoder");
  const std::string weight = "autoencoder.model.0.weight";
  compare(fixture, critic, "began_0.0", BEGAN{}, weight);
  compare(fixture, critic, "began_0.3", BEGAN{.balance = BEGANBalance{0.3}}, weight);

  BEGANBalance balance;
  const auto target = fixture.at("began.k.loss.target").to(torch::kDouble);
  const auto restored = fixture.at("began.k.loss.restored").to(torch::kDouble);
  std::vector<double> k, convergence;
  for (int i = 0; i < target.numel(); ++i) {
    balance.observe(target[i], restored[i], 0.5);
    balance.update(0.5, 0.001);
    k.push_back(balance.k());
    convergence.push_back(balance.convergence());
  }
  BOOST_TEST(relative_difference(torch::tensor(k, torch::kDouble), fixture.at("began.k")) < 1e-6);
  BOOST_TEST(relative_difference(torch::tensor(convergence, torch::kDouble),
                                 fixture.at("began.k.convergence")) < 1e-6);
}

BOOST_AUTO_TEST_CASE(a_critic_that_sees_the_degraded_image) {
  if (!Fixture::available("adversarial_more")) return;
  const Fixture fixture{"adversarial_more"};
  Conditional<PatchGAN<>> critic{PatchGANOptions{.width = 16}};
  fixture.fill(*critic, "conditional",
               [](const std::string& name) { return name.substr(std::string{"critic."}.size()); });
  const auto batch = fixture_batch(fixture);
  BOOST_TEST(relative_difference(critic->forward(batch.target, batch.degraded),
                                 fixture.at("conditional.scores.target")) < kForwardAgreement);
  BOOST_TEST(relative_difference(critic->forward(batch.restored, batch.degraded),
                                 fixture.at("conditional.scores.restored")) < kForwardAgreement);
  compare(fixture, critic, "conditional", LeastSquares{}, "conditional.model.0.weight");
}

BOOST_AUTO_TEST_CASE(a_step_of_a_clipped_critic) {
  if (!Fixture::available("adversarial_more")) return;
  const Fixture fixture{"adversarial_more"};
  auto critic = fixture_critic(fixture);
  {
    torch::NoGradGuard no_grad;
    for (auto& parameter : critic->parameters()) {
      parameter.copy_(parameter.to(torch::kDouble) * 0.05);
    }
  }
  const Wasserstein loss{.clip = 0.01};
  torch::optim::RMSprop optimizer{critic->parameters(),
                                  torch::optim::RMSpropOptions{5e-5}.alpha(0.99).eps(1e-8)};
  const auto value = loss.critic_loss(critic, fixture_batch(fixture));
  BOOST_TEST(std::abs(value.item<double>() - fixture.at("clipped.critic").item<double>()) < 1e-6);
  value.backward();
  const auto named = critic->named_parameters();
  for (const std::string name : {"model.0.weight", "model.11.weight"}) {
    BOOST_TEST(relative_difference(named[name].grad(), fixture.at("clipped.critic.grad.critic." +
                                                                  name)) < kGradientAgreement);
  }
  optimizer.step();
  for (const std::string name : {"model.0.weight", "model.11.weight"}) {
    BOOST_TEST(relative_difference(named[name], fixture.at("clipped.stepped.critic." + name)) <
               kForwardAgreement);
  }
  loss.after_critic_step(critic);
  for (const std::string name : {"model.0.weight", "model.11.weight"}) {
    BOOST_TEST(relative_difference(named[name], fixture.at("clipped.after.critic." + name)) <
               kForwardAgreement);
  }
}

BOOST_AUTO_TEST_SUITE_END()
