#include <limpid/critics/attention.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <limpid/losses/adversarial/per_critic.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace {

using namespace limpid;
using limpid_test::throws_value_error;

constexpr AttentionCriticOptions kSmall{.width = 4};

static_assert(CriticWithOwnLoss<AttentionCritic> && !CriticWithOwnLoss<PatchGAN<>>);
static_assert(AdversarialLossFor<WithOwnLoss<Hinge>, AttentionCritic>);
static_assert(!AdversarialLossFor<WithOwnLoss<BEGAN>, AttentionCritic>, "it gives scores");
static_assert(WithOwnLoss<Hinge>::name == "hinge");

/// Targets of noise; a bright square of a quarter of the sides is the drop, which the restored
/// image shows as grey.
AdversarialBatch drops(Random& random) {
  const auto target = (torch::rand({2, 3, 32, 32}) * 2 - 1) * 0.5;
  auto degraded = target.clone(), restored = target.clone();
  for (std::int64_t n = 0; n < 2; ++n) {
    const auto top = torch::randint(0, 17, {1}).item<std::int64_t>();
    const auto left = torch::randint(0, 17, {1}).item<std::int64_t>();
    const auto square = [&](at::Tensor& image) {
      return image[n].narrow(1, top, 16).narrow(2, left, 16);
    };
    square(degraded).fill_(1);
    square(restored).fill_(0);
  }
  return {degraded, restored, target, &random};
}

BOOST_AUTO_TEST_SUITE(attention_critic)

BOOST_AUTO_TEST_CASE(does_what_every_critic_does) {
  limpid_test::check_critic(AttentionCritic{kSmall});
  limpid_test::check_critic(AttentionCritic{AttentionCriticOptions{.in_channels = 6, .width = 4}},
                            6);
}

BOOST_AUTO_TEST_CASE(scores_patches_and_maps_at_a_quarter_of_the_sides) {
  AttentionCritic critic{kSmall};
  const auto image = torch::rand({2, 3, 40, 56}) * 2 - 1;
  BOOST_TEST(critic->forward(image).sizes() == torch::IntArrayRef({2, 1, 5, 7}));
  const auto map = critic->attention(image);
  BOOST_TEST(map.sizes() == torch::IntArrayRef({2, 1, 10, 14}));
  BOOST_TEST((map.min().item<float>() > 0 && map.max().item<float>() < 1));
  BOOST_TEST(critic->forward(torch::rand({1, 3, 8, 8})).numel() == 1);
}

BOOST_AUTO_TEST_CASE(damage_is_where_the_pair_differs_by_more_than_the_threshold) {
  const auto target = torch::zeros({1, 3, 2, 2});
  auto degraded = target.clone();
  degraded[0][0][0][0] = 1.0;            // mean over channels 1/3 in [-1, 1], 1/6 in [0, 1]
  degraded[0].select(1, 1).fill_(-0.2);  // 0.1 in [0, 1]
  const AdversarialBatch batch{degraded, target, target};
  const auto mask = [&](double threshold) { return limpid::detail::damage_mask(batch, threshold); };
  BOOST_TEST(torch::equal(mask(0.15), torch::tensor({1.0f, 0.0f, 0.0f, 0.0f}).view({1, 1, 2, 2})));
  BOOST_TEST(torch::equal(mask(0.09), torch::tensor({1.0f, 0.0f, 1.0f, 1.0f}).view({1, 1, 2, 2})));
}

BOOST_AUTO_TEST_CASE(its_own_loss_is_added_for_the_critic_alone_and_logged) {
  torch::manual_seed(0);
  Random random{1};
  AttentionCritic critic{kSmall};
  auto objective = objective_for(critic, Hinge{});
  const auto batch = drops(random);
  const auto own = critic->own_loss(batch).item<double>();
  const auto sum = objective.critic_loss(critic, batch).item<double>();
  BOOST_TEST(sum == Hinge{}.critic_loss(critic, batch).item<double>() + own,
             boost::test_tools::tolerance(1e-5));
  BOOST_TEST(objective.generator_loss(critic, batch).item<double>() ==
             Hinge{}.generator_loss(critic, batch).item<double>());
  BOOST_REQUIRE(objective.figures().size() == 1U);
  BOOST_TEST(objective.figures()[0].first == "own_loss");
  BOOST_TEST(objective.figures()[0].second.item<double>() == own);
  // The restored image learns nothing by it.
  const auto restored = batch.restored.clone().requires_grad_();
  critic->own_loss({batch.degraded, restored, batch.target}).backward();
  BOOST_TEST(!restored.grad().defined());
}

BOOST_AUTO_TEST_CASE(an_objectives_penalty_and_figures_stay) {
  torch::manual_seed(0);
  Random random{1};
  AttentionCritic critic{kSmall};
  auto objective = objective_for(critic, WassersteinGP{});
  objective.critic_loss(critic, drops(random)).backward();
  BOOST_REQUIRE(objective.figures().size() == 2U);
  BOOST_TEST(objective.figures()[0].first == "slope");
  for (const auto& parameter : critic->parameters()) {
    BOOST_TEST(parameter.grad().isfinite().all().item<bool>());
  }
}

BOOST_AUTO_TEST_CASE(learns_where_an_image_was_restored) {
  torch::manual_seed(2);
  Random random{1};
  AttentionCritic critic{AttentionCriticOptions{.width = 8, .map_weight = 1}};
  auto objective = objective_for(critic, Hinge{});
  torch::optim::Adam adam{critic->parameters(), torch::optim::AdamOptions(4e-3)};
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    adam.zero_grad();
    objective.critic_loss(critic, drops(random)).backward();
    adam.step();
    last = objective.figures()[0].second.item<double>();
    if (step == 0) first = last;
  }
  BOOST_TEST_MESSAGE("map's loss " << first << " -> " << last);
  BOOST_TEST(last < 0.4 * first);
  torch::NoGradGuard no_grad;
  const auto batch = drops(random);
  const auto map = critic->attention(batch.restored);
  const auto mask =
      torch::adaptive_avg_pool2d(limpid::detail::damage_mask(batch, 30.0 / 255), {8, 8}).round();
  const auto inside = ((map * mask).sum() / mask.sum()).item<double>();
  const auto outside = ((map * (1 - mask)).sum() / (1 - mask).sum()).item<double>();
  BOOST_TEST_MESSAGE("map " << inside << " where it was, " << outside << " elsewhere");
  BOOST_TEST(inside > outside + 0.3);
}

BOOST_AUTO_TEST_CASE(names_what_it_wanted) {
  AttentionCritic critic{kSmall};
  BOOST_TEST(throws_value_error(
      [&] {
        critic->forward(torch::zeros({1, 3, 8, 7}));
      },
      "AttentionCritic: expected sides of at least 8 pixels, got [1, 3, 8, 7]"));
  BOOST_TEST(throws_value_error([] { AttentionCritic{AttentionCriticOptions{.map_weight = -1}}; },
                                "AttentionCritic: map_weight must not be negative, got -1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
