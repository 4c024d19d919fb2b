#include <limpid/critics/autoencoder.hpp>
#include <limpid/critics/conditional.hpp>
#include <limpid/critics/double_scale.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <limpid/losses/adversarial/per_critic.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/recipes/adversaries.hpp>
#include <limpid/training/adversary.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace {

using namespace limpid;

static_assert(!std::is_copy_constructible_v<Adversary>, "it owns the state of its objective");

AdversarialBatch batch_from(Random& random) {
  torch::manual_seed(1);
  const auto image = [] { return torch::rand({1, 3, 24, 24}) * 2 - 1; };
  return {image(), image(), image(), &random};
}

PatchGAN<> small_critic() { return PatchGAN<>{PatchGANOptions{.width = 2}}; }

BOOST_AUTO_TEST_SUITE(adversaries)

BOOST_AUTO_TEST_CASE(an_empty_one_has_nothing_and_does_nothing) {
  Adversary none;
  BOOST_TEST(!none);
  BOOST_TEST(none.critic() == nullptr);
  BOOST_TEST(none.describe_critic().is_null());
  BOOST_TEST(none.loss_name().empty());
  BOOST_TEST(none.state().empty());
  BOOST_TEST(none.figures().empty());
  none.load_state({});
  none.after_critic_step();
  none.to(torch::kCPU);
}

BOOST_AUTO_TEST_CASE(hooks_that_an_objective_leaves_out_do_nothing) {
  Random random{1};
  const auto batch = batch_from(random);
  auto critic = small_critic();
  Adversary hinge{critic, Hinge{}};
  BOOST_TEST(static_cast<bool>(hinge));
  BOOST_TEST(hinge.critic() == critic.get());
  BOOST_TEST(hinge.loss_name() == "hinge");
  BOOST_TEST(hinge.describe_critic().at("architecture") == "patch");
  BOOST_TEST(hinge.describe_critic().at("options").at("width") == 2);
  BOOST_TEST(hinge.critic_loss(batch).item<double>() ==
             Hinge{}.critic_loss(critic, batch).item<double>());
  BOOST_TEST(hinge.generator_loss(batch).item<double>() ==
             Hinge{}.generator_loss(critic, batch).item<double>());
  hinge.after_critic_step();
  BOOST_TEST(hinge.figures().empty());
  BOOST_TEST(hinge.state().empty());
  hinge.load_state({});
}

BOOST_AUTO_TEST_CASE(hooks_that_an_objective_has_are_reached) {
  Random random{1};
  const auto batch = batch_from(random);
  Adversary clipped{small_critic(), Wasserstein{.clip = 0.001}};
  clipped.after_critic_step();
  for (const auto& parameter : clipped.critic()->parameters()) {
    BOOST_TEST(parameter.abs().max().item<double>() <= 0.00100001);
  }

  Adversary penalised{small_critic(), WassersteinGP{}};
  penalised.critic_loss(batch);
  BOOST_REQUIRE(penalised.figures().size() == 1U);
  BOOST_TEST(penalised.figures()[0].first == "slope");

  Adversary balanced{Autoencoder{AutoencoderOptions{.width = 2}},
                     BEGAN{.gamma = 0.9, .lambda_k = 0.5}};
  balanced.critic_loss(batch);
  balanced.after_critic_step();
  const auto state = balanced.state();
  BOOST_REQUIRE(state.size() == 2U);
  Adversary other{Autoencoder{AutoencoderOptions{.width = 2}}, BEGAN{}};
  other.load_state(state);
  BOOST_TEST(other.state() == state, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_moved_one_keeps_its_state_and_its_critic) {
  Random random{1};
  const auto batch = batch_from(random);
  Adversary first{Autoencoder{AutoencoderOptions{.width = 2}},
                  BEGAN{.gamma = 0.9, .lambda_k = 0.5}};
  first.critic_loss(batch);
  first.after_critic_step();
  const auto state = first.state();
  const auto* critic = first.critic();
  const auto second = std::move(first);
  BOOST_TEST(second.critic() == critic);
  BOOST_TEST(second.state() == state, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_critic_of_several_parts_is_described_by_its_whole_name) {
  const PatchGANOptions small{.width = 2};
  Adversary conditional{Conditional<PatchGAN<>>{small}, Hinge{}};
  BOOST_TEST(conditional.describe_critic().at("architecture") == "conditional-patch");
  Adversary both{DoubleScale<Conditional<PatchGAN<>>>{DoubleScaleOptions{.width = 2}},
                 PerCritic{Hinge{}}};
  BOOST_TEST(both.describe_critic().at("architecture") == "conditional-double-scale");
  BOOST_TEST(both.loss_name() == "hinge");
}

BOOST_AUTO_TEST_CASE(the_slope_of_a_penalty_has_its_name) {
  const Adversary hinge{PatchGAN<>{PatchGANOptions{.width = 4, .layers = 1}}, Hinge{}};
  BOOST_TEST(hinge.penalty_slope().empty());
  for (const auto slope : {PenaltySlope::mean, PenaltySlope::per_pixel}) {
    const Adversary one = recipes::make_adversary("wasserstein-gp", "patch", 4, slope);
    const Adversary both = recipes::make_adversary("wasserstein-gp", "double-scale", 4, slope);
    const std::string name = slope == PenaltySlope::mean ? "mean" : "per-pixel";
    BOOST_TEST(one.penalty_slope() == name);
    BOOST_TEST(both.penalty_slope() == name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
