#include <limpid/recipes/thesis_resnet.hpp>

#include <map>
#include <string>
#include <type_traits>
#include <variant>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <limpid/training/trainer.hpp>
#include <support/tiny.hpp>

namespace {

using namespace limpid;
using limpid::recipes::ThesisResNet;
using limpid_test::DarkPictures;

static_assert(ThesisResNet::name == "thesis-resnet");
static_assert(ThesisResNet::batch_size("deblur") == 2);
static_assert(ThesisResNet::batch_size("dehaze") == 1 && ThesisResNet::batch_size("derain") == 1);
static_assert(std::is_same_v<ThesisResNet::Encoder, ResNetEncoder>);
static_assert(ResNetEncoderOptions{}.width == 64 && ResNetEncoderOptions{}.blocks == 9);
static_assert(ResNetEncoderOptions{}.dropout == 0.5);

ThesisResNet random_recipe() {
  torch::manual_seed(4);
  return {VGG19::random_for_benchmark({.deepest = "conv3_3"})};
}

BOOST_AUTO_TEST_SUITE(thesis_resnet)

BOOST_AUTO_TEST_CASE(has_the_numbers_of_the_thesis) {
  const auto options = ThesisResNet::options();
  BOOST_TEST(std::get<Epochs>(options.length).count == 80);
  BOOST_TEST(options.rate == 1e-4);
  BOOST_TEST(options.critic_rate == 1e-4);
  BOOST_TEST(options.schedule(1e-4, 39, 80) == 1e-4);
  BOOST_TEST(options.schedule(1e-4, 79, 80) == 1e-7);
  BOOST_TEST(options.crop == 256);
  BOOST_TEST(options.clip_gradient_norm == 0);
  BOOST_TEST((options.precision == Precision::float32));
  BOOST_TEST(options.recipe == "thesis-resnet");
}

BOOST_AUTO_TEST_CASE(a_branch_has_the_losses_of_the_thesis) {
  const auto branch = random_recipe().branch(DarkPictures{}, 2);
  BOOST_TEST(branch.batch_size == 2);
  BOOST_TEST(branch.adversarial_weight == 0.01);
  BOOST_TEST(branch.adversarial.penalty == 10);
  BOOST_TEST(branch.critic_updates == 1);
  BOOST_TEST(branch.weight == 1);
  static_assert(std::is_same_v<decltype(branch.critic), PatchGAN<>>);
  const auto terms =
      loss_terms(branch.content, torch::zeros({1, 3, 16, 16}), torch::ones({1, 3, 16, 16}));
  BOOST_REQUIRE(terms.size() == 2U);
  BOOST_TEST(terms[0].weight == 1);
  BOOST_TEST(terms[1].weight == 0.5);
  BOOST_TEST(terms[1].name == "l1");
  BOOST_TEST(terms[1].value.item<float>() == 1);
}

BOOST_AUTO_TEST_CASE(branches_train_a_step_beside_each_other) {
  const auto recipe = random_recipe();
  auto options = ThesisResNet::options();
  options.length = Steps{1};
  options.crop = 32;
  options.quiet = true;
  // The recipe's networks, small enough for a test.
  MultiTaskTrainer<ThesisResNet::Encoder, ThesisResNet::Decoder<"deblur">,
                   ThesisResNet::Decoder<"derain">>
      trainer{options, ResNetEncoder{ResNetEncoderOptions{.width = 8, .blocks = 1}},
              ResNetDecoder<"deblur">{ResNetDecoderOptions{.width = 8}},
              ResNetDecoder<"derain">{ResNetDecoderOptions{.width = 8}}};
  trainer.branch<"deblur">(recipe.branch(DarkPictures{}, 1));
  trainer.branch<"derain">(recipe.branch(DarkPictures{}, 1));  // a critic of its own
  const auto before = trainer.model()->encoder()->parameters()[0].detach().clone();
  BOOST_TEST((trainer.fit() == FitResult::finished));
  BOOST_TEST(!torch::equal(trainer.model()->encoder()->parameters()[0], before));
  for (const auto& parameter : recipe.vgg->parameters()) BOOST_TEST(!parameter.grad().defined());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
