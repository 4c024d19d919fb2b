#include <limpid/model/families.hpp>
#include <limpid/recipes/thesis_resnet.hpp>
#include <limpid/training/any_trainer.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <map>
#include <memory>
#include <string>
#include <variant>

namespace {

using namespace limpid;
using limpid_test::DarkPictures;

static_assert(ResNetEncoderOptions{}.width == 64 && ResNetEncoderOptions{}.blocks == 9);
static_assert(ResNetEncoderOptions{}.dropout == 0.5);

VGG19 random_vgg() {
  torch::manual_seed(4);
  return VGG19::random_for_benchmark({.deepest = "conv3_3"});
}

BOOST_AUTO_TEST_SUITE(thesis_resnet)

BOOST_AUTO_TEST_CASE(has_the_numbers_of_the_thesis) {
  const auto recipe = recipes::thesis_resnet();
  const auto& options = recipe.options;
  BOOST_TEST(recipe.name == "thesis-resnet");
  BOOST_TEST(recipe.batch_size("deblur") == 2);
  BOOST_TEST(recipe.batch_size("dehaze") == 1);
  BOOST_TEST(recipe.batch_size("derain") == 1);
  BOOST_TEST(recipe.network.family == "resnet");
  const auto network = all_options(recipe.network);
  BOOST_TEST(network.at("encoder").at("width") == 64);
  BOOST_TEST(network.at("encoder").at("blocks") == 9);
  BOOST_TEST(network.at("encoder").at("dropout") == 0.5);
  BOOST_TEST(network.at("decoder").at("width") == 64);
  BOOST_TEST(std::get<Epochs>(options.length).count == 80);
  BOOST_TEST(options.rate == 1e-4);
  BOOST_TEST(options.critic_rate == 1e-4);
  BOOST_TEST(options.schedule(1e-4, 39 * 9, 80 * 9, 9) == 1e-4);
  BOOST_TEST(options.schedule(1e-4, 79 * 9, 80 * 9, 9) == 1e-7);  // from the epoch on
  BOOST_TEST(options.crop == 256);
  BOOST_TEST(options.clip_gradient_norm == 0);
  BOOST_TEST((options.precision == Precision::float32));
  BOOST_TEST(options.recipe == "thesis-resnet");
}

BOOST_AUTO_TEST_CASE(a_branch_has_the_losses_of_the_thesis) {
  auto recipe = recipes::thesis_resnet();
  const auto branch = recipe.branch("deblur", DarkPictures{}, random_vgg());
  BOOST_TEST(branch.batch_size == 2);
  BOOST_TEST(branch.adversarial_weight == 0.01);
  BOOST_TEST(branch.critic_updates == 1);
  BOOST_TEST(branch.weight == 1);
  BOOST_TEST(branch.adversary.loss_name() == "wasserstein-gp");
  BOOST_TEST(branch.adversary.describe_critic().at("architecture") == "patch");
  BOOST_TEST(branch.adversary.describe_critic().at("options").at("width") == 64);
  const auto restored = torch::zeros({1, 3, 16, 16}), target = torch::ones({1, 3, 16, 16});
  const auto terms = loss_terms(branch.content, restored, target);
  BOOST_REQUIRE(terms.size() == 2U);
  BOOST_TEST(terms[0].weight == 1);
  BOOST_TEST(terms[1].weight == 0.5);
  BOOST_TEST(terms[1].name == "l1");
  BOOST_TEST(terms[1].value.item<float>() == 1);

  recipe.objective.contextual_weight = 0.5;
  const auto more = recipe.branch("deblur", DarkPictures{}, random_vgg());
  const auto all = loss_terms(more.content, restored, target);
  BOOST_REQUIRE(all.size() == 3U);
  BOOST_TEST(all[2].name == "contextual");
  BOOST_TEST(all[2].weight == 0.5);
}

BOOST_AUTO_TEST_CASE(the_penalty_holds_the_slope_of_the_published_code_or_the_one_asked_for) {
  auto recipe = recipes::thesis_resnet();
  recipe.objective.critic_width = 4;
  torch::manual_seed(5);
  const auto image = [] { return torch::rand({1, 3, 32, 32}) * 2 - 1; };
  AdversarialBatch batch{image(), image(), image()};
  const auto held = [&] {
    auto branch = recipe.branch("deblur", DarkPictures{}, random_vgg());
    Random random{6};
    batch.random = &random;
    branch.adversary.critic_loss(batch);
    Random same{6};
    const auto point = random_point_between(batch.target, batch.restored, same);
    auto critic =
        PatchGAN<>{std::dynamic_pointer_cast<PatchGANImpl<>>(branch.adversary.critic()->clone())};
    const auto expected = slope_of(critic, point, batch, recipe.objective.penalty_slope).length();
    const auto logged = branch.adversary.figures();
    BOOST_REQUIRE(logged.size() == 1U);
    return torch::allclose(logged[0].second, expected);
  };
  BOOST_TEST((recipe.objective.penalty_slope == PenaltySlope::per_pixel));
  BOOST_TEST(held());
  for (const auto form : {PenaltySlope::mean, PenaltySlope::sum}) {
    recipe.objective.penalty_slope = form;
    BOOST_TEST(held());
  }
}

BOOST_AUTO_TEST_CASE(branches_train_a_step_beside_each_other) {
  auto recipe = recipes::thesis_resnet();
  recipe.options.length = Steps{1};
  recipe.options.crop = 32;
  recipe.options.quiet = true;
  // The recipe's networks, small enough for a test.
  recipe.network.options.update({{"width", 8}, {"blocks", 1}});
  recipe.objective.critic_width = 8;
  recipe.batch_sizes.clear();
  const auto vgg = random_vgg();
  AnyTrainer trainer{recipe.options, make_model(recipe.network, {"deblur", "derain"})};
  trainer.branch("deblur", recipe.branch("deblur", DarkPictures{}, vgg));
  trainer.branch("derain", recipe.branch("derain", DarkPictures{}, vgg));  // its own critic
  const auto before = trainer.model().parameters[0].second.detach().clone();
  BOOST_TEST((trainer.fit() == FitResult::finished));
  BOOST_TEST(!torch::equal(trainer.model().parameters[0].second, before));
  for (const auto& parameter : vgg->parameters()) BOOST_TEST(!parameter.grad().defined());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
