#include <limpid/critics/autoencoder.hpp>
#include <limpid/critics/conditional.hpp>
#include <limpid/critics/double_scale.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

using ConditionalPatch = Conditional<PatchGAN<>>;
static_assert(ConditionalCritic<ConditionalPatch> && !Critic<ConditionalPatch>);
static_assert(CompositeCritic<DoubleScale<ConditionalPatch>> && !CompositeCritic<PatchGAN<>>);
static_assert(!Critic<DoubleScale<>>, "its losses are one per part");
static_assert(AutoencoderCritic<Autoencoder> && !Critic<Autoencoder>);

BOOST_AUTO_TEST_SUITE(composed_critics)

BOOST_AUTO_TEST_CASE(each_does_what_every_critic_does) {
  limpid_test::check_autoencoder_critic(Autoencoder{AutoencoderOptions{.width = 4}});
  limpid_test::check_autoencoder_critic(Autoencoder{AutoencoderOptions{.width = 4, .depth = 3}});
  limpid_test::check_conditional_critic(ConditionalPatch{PatchGANOptions{.width = 4}});
  limpid_test::check_composite_critic(DoubleScale<>{DoubleScaleOptions{.width = 4}});
  limpid_test::check_composite_critic(
      DoubleScale<ConditionalPatch>{DoubleScaleOptions{.width = 4, .full_layers = 4}});
}

BOOST_AUTO_TEST_CASE(an_autoencoder_is_laid_out_as_published) {
  Autoencoder critic{AutoencoderOptions{.width = 16}};
  std::vector<std::string> found;
  for (const auto& item : critic->named_parameters()) {
    if (item.value().dim() > 1) found.push_back(item.key() + " " + c10::str(item.value().sizes()));
  }
  const std::vector<std::string> expected{
      "model.0.weight [16, 3, 3, 3]", "model.2.weight [32, 16, 3, 3]",
      "model.5.weight [16, 32, 3, 3]", "model.8.weight [3, 16, 3, 3]"};
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_double_scale_critic_gives_the_published_scores) {
  if (!Fixture::available("critics")) return;
  const Fixture fixture{"critics"};
  DoubleScale<> critic{DoubleScaleOptions{.width = fixture.number("width")}};
  fixture.fill(*critic, "critic");
  const auto scores = critic->forward(fixture.input("restored", {1, 3, 256, 256}));
  BOOST_TEST(relative_difference(scores[0], fixture.at("scores.patch")) <
             limpid_test::kForwardAgreement);
  BOOST_TEST(relative_difference(scores[1], fixture.at("scores.full")) <
             limpid_test::kForwardAgreement);
  (scores[0].mean() + scores[1].mean()).backward();
  for (const std::string name : {"patch.model.0.weight", "full.model.0.weight"}) {
    BOOST_TEST(relative_difference(critic->named_parameters()[name].grad(),
                                   fixture.at("grad.critic." + name)) <
               limpid_test::kGradientAgreement);
  }
}

BOOST_AUTO_TEST_CASE(a_conditional_critic_sees_the_image_first) {
  ConditionalPatch critic{PatchGANOptions{.width = 4}};
  PatchGAN<> six{PatchGANOptions{.in_channels = 6, .width = 4}};
  {
    torch::NoGradGuard no_grad;
    auto named = six->named_parameters();
    for (const auto& item : critic->named_parameters()) {
      named[item.key().substr(7)].copy_(item.value());
    }
  }
  const auto image = torch::rand({1, 3, 20, 24}), degraded = torch::rand({1, 3, 20, 24});
  BOOST_TEST(torch::equal(critic->forward(image, degraded),
                          six->forward(torch::cat({image, degraded}, 1))));
}

BOOST_AUTO_TEST_CASE(each_names_what_it_wanted) {
  const auto image = torch::zeros({1, 3, 16, 16});
  Autoencoder autoencoder{AutoencoderOptions{.width = 2}};
  BOOST_TEST(throws_value_error([&] { autoencoder->forward(image.narrow(1, 0, 1)); },
                                "Autoencoder: expected image (N, 3, H, W), got [1, 1, 16, 16]"));
  BOOST_TEST(throws_value_error([] { Autoencoder{AutoencoderOptions{.depth = 0}}; },
                                "Autoencoder: depth must be at least 1, got 0"));
  ConditionalPatch conditional{PatchGANOptions{.width = 2}};
  BOOST_TEST(throws_value_error([&] { conditional->forward(image.narrow(1, 0, 2), image); },
                                "Conditional: expected image (N, 3, H, W), got [1, 2, 16, 16]"));
  BOOST_TEST(throws_value_error(
      [&] { conditional->forward(image, image.narrow(2, 0, 8)); },
      "Conditional: image [1, 3, 16, 16] and degraded image [1, 3, 8, 16] differ in shape"));
  BOOST_TEST(throws_value_error([] { ConditionalPatch{PatchGANOptions{.in_channels = 0}}; },
                                "Conditional: in_channels must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { DoubleScale<>{DoubleScaleOptions{.full_layers = 0}}; },
                                "PatchGAN: layers must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
