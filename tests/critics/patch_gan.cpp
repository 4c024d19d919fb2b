#include <limpid/critics/patch_gan.hpp>
#include <limpid/layers/layer_norm2d.hpp>
#include <limpid/layers/no_norm.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::NoNorm, limpid::PatchGAN, limpid::PatchGANOptions;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

static_assert(limpid::Critic<PatchGAN<>> && limpid::Critic<PatchGAN<limpid::LayerNorm2d>>);
static_assert(!limpid::AutoencoderCritic<PatchGAN<>>);
static_assert(PatchGANOptions{}.receptive_field() == 70);
static_assert(!limpid::ChannelNorm<torch::nn::Linear>, "a norm is built from one channel count");

constexpr PatchGANOptions kSmall{.width = 4};

BOOST_AUTO_TEST_SUITE(patch_gan)

BOOST_AUTO_TEST_CASE(does_what_every_critic_does) { limpid_test::check_critic(PatchGAN<>{kSmall}); }

BOOST_AUTO_TEST_CASE(does_so_with_another_norm_and_six_channels) {
  limpid_test::check_critic(
      PatchGAN<NoNorm>{PatchGANOptions{.in_channels = 6, .width = 4, .layers = 2}}, 6);
}

BOOST_AUTO_TEST_CASE(gives_the_published_scores) {
  if (!Fixture::available("adversarial")) return;
  const Fixture fixture{"adversarial"};
  PatchGAN<> critic{PatchGANOptions{.width = fixture.number("width")}};
  fixture.fill(*critic, "critic");
  for (const std::string name : {"target", "restored"}) {
    const auto scores = critic->forward(fixture.input(name, {2, 3, 64, 64}));
    BOOST_TEST(scores.sizes() == torch::IntArrayRef({2, 1, 11, 11}));
    BOOST_TEST(relative_difference(scores, fixture.at("scores." + name)) <
               limpid_test::kForwardAgreement);
  }
}

BOOST_AUTO_TEST_CASE(gives_the_published_scores_of_shallow_and_deep_critics) {
  if (!Fixture::available("critics")) return;
  const Fixture fixture{"critics"};
  for (const auto& [part, layers] : {std::pair{"patch", 3}, {"full", 5}}) {
    const std::string name = part;
    PatchGAN<> critic{PatchGANOptions{.width = fixture.number("width"), .layers = layers}};
    fixture.fill(*critic, "critic." + name);
    const auto scores = critic->forward(fixture.input("restored", {1, 3, 256, 256}));
    BOOST_TEST(relative_difference(scores, fixture.at("scores." + name)) <
               limpid_test::kForwardAgreement);
    scores.mean().backward();
    BOOST_TEST(relative_difference(critic->named_parameters()["model.0.weight"].grad(),
                                   fixture.at("grad.critic." + name + ".model.0.weight")) <
               limpid_test::kGradientAgreement);
  }
}

BOOST_AUTO_TEST_CASE(one_score_sees_only_its_receptive_field) {
  torch::manual_seed(0);
  PatchGAN<NoNorm> critic{kSmall};  // a norm would look at the whole image
  auto image = torch::randn({1, 3, 256, 256}, torch::requires_grad());
  critic->forward(image)[0][0][15][15].backward();
  const auto seen = image.grad()[0].abs().sum(0).nonzero();
  const auto side = std::get<0>(seen.max(0)) - std::get<0>(seen.min(0)) + 1;
  BOOST_TEST(side.max().item<std::int64_t>() == kSmall.receptive_field());
}

BOOST_AUTO_TEST_CASE(scores_the_smallest_image) {
  PatchGAN<> critic{kSmall};
  BOOST_TEST(critic->forward(torch::rand({1, 3, 2, 2})).sizes() ==
             torch::IntArrayRef({1, 1, 4, 4}));
  BOOST_TEST(throws_value_error(
      [&] {
        critic->forward(torch::zeros({1, 3, 1, 8}));
      },
      "PatchGAN: expected sides of at least 2 pixels, got [1, 3, 1, 8]"));
}

BOOST_AUTO_TEST_CASE(names_what_it_wanted) {
  PatchGAN<> critic{PatchGANOptions{.in_channels = 6, .width = 4}};
  BOOST_TEST(throws_value_error(
      [&] {
        critic->forward(torch::randn({1, 3, 64, 64}));
      },
      "PatchGAN: expected image (N, 6, H, W), got [1, 3, 64, 64]"));
  BOOST_TEST(throws_value_error([] { PatchGAN<>{PatchGANOptions{.width = 0}}; },
                                "PatchGAN: width must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { PatchGAN<>{PatchGANOptions{.layers = 0}}; },
                                "PatchGAN: layers must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
