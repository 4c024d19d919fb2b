// Losses of a sum that look through one network share its passes.
#include <limpid/losses/content/any_content.hpp>
#include <limpid/losses/content/contextual.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/losses/content/shared_features.hpp>
#include <limpid/losses/content/style_loss.hpp>
#include <support/fixtures.hpp>

#include <ATen/record_function.h>
#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::relative_difference;

VGG19 small_vgg() {
  torch::manual_seed(7);
  return VGG19::random_for_benchmark({.deepest = "conv2_1"});
}

std::int64_t convolutions = 0;

/// How many convolutions `f` computes, forward.
template <class F>
std::int64_t convolutions_in(F f) {
  convolutions = 0;
  const auto handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback([](const at::RecordFunction& call) {
                                   if (std::string{call.name()} == "aten::conv2d") ++convolutions;
                                   return std::unique_ptr<at::ObserverContext>{};
                                 }).scopes({at::RecordScope::FUNCTION}));
  {
    const at::RecordFunctionGuard on{true};
    f();
  }
  at::removeCallback(handle);
  return convolutions;
}

struct Images {
  at::Tensor restored, target;
  Images() {
    torch::manual_seed(8);
    target = torch::rand({2, 3, 16, 20}) * 2 - 1;
    restored = (target + 0.3 * torch::randn({2, 3, 16, 20})).requires_grad_();
  }
};

struct Outcome {
  at::Tensor value, gradient;
};

Outcome outcome(const Images& images, const at::Tensor& value) {
  return {value.detach(), torch::autograd::grad({value}, {images.restored})[0]};
}

constexpr std::int64_t kConvolutionsOfAPass = 3;  // conv1_1, conv1_2, conv2_1

BOOST_FIXTURE_TEST_SUITE(shared_features, Images)

BOOST_AUTO_TEST_CASE(two_losses_on_one_network_take_two_passes_and_not_four) {
  const auto vgg = small_vgg();
  const auto sum =
      Perceptual{vgg, "conv2_1"} + 0.5 * L1{} + 0.5 * Contextual{.vgg = vgg, .layer = "conv2_1"};
  BOOST_TEST(convolutions_in([&] { sum(restored, target); }) == 2 * kConvolutionsOfAPass);
  BOOST_TEST(convolutions_in([&] { loss_terms(sum, restored, target); }) ==
             2 * kConvolutionsOfAPass);
  BOOST_TEST(convolutions_in([&] { AnyContent{sum}(restored, target); }) ==
             2 * kConvolutionsOfAPass);
  BOOST_TEST(convolutions_in([&] { (0.1 * sum)(restored, target); }) == 2 * kConvolutionsOfAPass);
}

BOOST_AUTO_TEST_CASE(losses_chosen_at_run_time_share_as_well) {
  const auto vgg = small_vgg();
  const AnyContent perceptual = Perceptual{vgg, "conv2_1"};
  const AnyContent contextual = 0.5 * Contextual{.vgg = vgg, .layer = "conv2_1"};
  const auto sum = perceptual + (contextual + L1{});
  BOOST_TEST(convolutions_in([&] { sum(restored, target); }) == 2 * kConvolutionsOfAPass);
}

BOOST_AUTO_TEST_CASE(a_loss_on_several_layers_shares_as_well) {
  const auto vgg = small_vgg();
  const StyleLoss style{vgg, {"relu1_1", "conv1_2", "conv2_1"}};
  const Perceptual perceptual{vgg, "conv1_2"};
  BOOST_TEST(convolutions_in([&] { style(restored, target); }) == 2 * kConvolutionsOfAPass);
  const auto sum = perceptual + 0.5 * style;
  BOOST_TEST(convolutions_in([&] { sum(restored, target); }) == 2 * kConvolutionsOfAPass);
  const auto together = outcome(*this, AnyContent{sum}(restored, target));
  const auto a = outcome(*this, perceptual(restored, target));
  const auto b = outcome(*this, style(restored, target));
  BOOST_TEST(relative_difference(together.value, a.value + 0.5 * b.value) < 1e-6);
  BOOST_TEST(relative_difference(together.gradient, a.gradient + 0.5 * b.gradient) < 1e-5);
}

BOOST_AUTO_TEST_CASE(values_and_gradients_are_those_of_the_losses_apart) {
  const auto vgg = small_vgg();
  for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
           {"conv2_1", "conv2_1"}, {"conv1_2", "relu1_2"}, {"relu2_1", "conv1_1"}}) {
    BOOST_TEST_CONTEXT(first << ", " << second) {
      const Perceptual perceptual{vgg, first};
      const Contextual contextual{.vgg = vgg, .layer = second};
      const auto together = outcome(*this, (perceptual + 0.5 * contextual)(restored, target));
      const auto a = outcome(*this, perceptual(restored, target));
      const auto b = outcome(*this, contextual(restored, target));
      BOOST_TEST(torch::equal(together.value, a.value + 0.5 * b.value));
      BOOST_TEST(relative_difference(together.gradient, a.gradient + 0.5 * b.gradient) < 1e-6);
    }
  }
}

BOOST_AUTO_TEST_CASE(one_pass_gives_all_layers_and_goes_no_deeper) {
  const auto vgg = small_vgg();
  const std::vector<std::string> layers{"relu1_2", "conv1_1", "conv1_2", "conv1_1"};
  std::vector<at::Tensor> maps;
  BOOST_TEST(convolutions_in([&] { maps = vgg->forward_to(target, layers); }) == 2);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    BOOST_TEST(torch::equal(maps[i], vgg->forward_to(target, layers[i])), layers[i]);
  }
}

BOOST_AUTO_TEST_CASE(other_networks_and_other_inputs_have_passes_of_their_own) {
  const auto vgg = small_vgg();
  const auto other = small_vgg();
  const auto passes = [&](const auto& loss) {
    return convolutions_in([&] { loss(restored, target); }) / kConvolutionsOfAPass;
  };
  const Perceptual perceptual{vgg, "conv2_1"};
  BOOST_TEST(passes(perceptual) == 2);
  BOOST_TEST(passes(perceptual + Contextual{.vgg = other, .layer = "conv2_1"}) == 4);
  BOOST_TEST(passes(perceptual + Perceptual{vgg, "conv2_1", VGGInput::raw}) == 4);
}

BOOST_AUTO_TEST_CASE(the_network_and_the_target_still_get_no_gradient) {
  const auto vgg = small_vgg();
  for (auto& parameter : vgg->parameters()) parameter.requires_grad_(true);
  target.requires_grad_(true);
  (Perceptual{vgg, "conv1_2"} + Contextual{.vgg = vgg, .layer = "conv2_1"})(restored, target)
      .backward();
  BOOST_TEST(restored.grad().abs().sum().item<double>() > 0);
  BOOST_TEST(!target.grad().defined());
  for (const auto& parameter : vgg->parameters()) BOOST_TEST(!parameter.grad().defined());
}

BOOST_AUTO_TEST_CASE(terms_of_one_name_keep_apart) {
  const auto vgg = small_vgg();
  const auto terms = loss_terms(Perceptual{vgg, "conv1_1"} + L1{} + Perceptual{vgg, "conv2_1"} +
                                    0.5 * Perceptual{vgg, "relu2_1"},
                                restored, target);
  BOOST_REQUIRE(terms.size() == 4U);
  BOOST_TEST(terms[0].name == "perceptual");
  BOOST_TEST(terms[2].name == "perceptual_2");
  BOOST_TEST(terms[3].name == "perceptual_3");
  BOOST_TEST(terms[2].value.item<double>() != terms[0].value.item<double>());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
