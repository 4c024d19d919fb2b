#include <limpid/core/autocast.hpp>
#include <limpid/losses/content/contextual.hpp>
#include <limpid/losses/content/focal_frequency_loss.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/lpips_loss.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/losses/content/style_loss.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/losses.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::check_content_loss;
using limpid_test::Fixture;
using limpid_test::relative_difference;

VGG19 random_vgg(at::ScalarType type = torch::kFloat) {
  torch::manual_seed(7);
  auto vgg = VGG19::random_for_benchmark({.deepest = "conv2_1"});
  vgg->to(type);
  return vgg;
}

VGG19 fixture_vgg(const Fixture& fixture) {
  auto vgg = VGG19::random_for_benchmark({.deepest = "conv3_3"});
  fixture.fill(*vgg, "vgg");
  return vgg;
}

bool has_any_gradient(const VGG19& vgg) {
  for (const auto& parameter : vgg->parameters()) {
    if (parameter.grad().defined()) return true;
  }
  return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(vgg_losses)

BOOST_AUTO_TEST_CASE(perceptual_conforms_before_and_after_activation) {
  for (const std::string layer : {"conv2_1", "relu1_2"}) {
    for (const auto input : {VGGInput::imagenet, VGGInput::raw}) {
      check_content_loss(Perceptual{random_vgg(), layer, input},
                         Perceptual{random_vgg(torch::kDouble), layer, input},
                         {.component = "Perceptual", .gradient_tolerance = 1e-4});
    }
  }
}

BOOST_AUTO_TEST_CASE(contextual_conforms) {
  constexpr auto kNoConstant = std::numeric_limits<double>::quiet_NaN();
  check_content_loss(
      Contextual{.vgg = random_vgg(), .layer = "conv2_1"},
      Contextual{.vgg = random_vgg(torch::kDouble), .layer = "conv2_1"},
      {.component = "Contextual", .at_equal_images = kNoConstant, .gradient_tolerance = 1e-3});
}

BOOST_AUTO_TEST_CASE(style_conforms) {
  const std::vector<std::string> layers{"relu1_1", "conv2_1"};
  check_content_loss(StyleLoss{random_vgg(), layers}, StyleLoss{random_vgg(torch::kDouble), layers},
                     {.component = "StyleLoss", .gradient_tolerance = 1e-4});
}

BOOST_AUTO_TEST_CASE(style_sees_textures_and_not_where_they_are) {
  torch::manual_seed(10);
  const auto target = torch::rand({1, 3, 24, 24}) * 2 - 1;
  const StyleLoss style{.vgg = random_vgg(), .layers = {"relu1_2"}};
  const Perceptual perceptual{random_vgg(), "relu1_2"};
  const auto shifted = torch::roll(target, 6, 3);
  const auto smoother = 0.5 * target + 0.5 * shifted;
  const auto value = [&](const auto& loss, const at::Tensor& image) {
    return loss(image, target).template item<double>();
  };
  BOOST_TEST(value(perceptual, shifted) > value(perceptual, smoother));
  BOOST_TEST(value(style, shifted) < 0.2 * value(style, smoother));
}

BOOST_AUTO_TEST_CASE(lpips_conforms) {
  const auto network = [](at::ScalarType type) {
    torch::manual_seed(11);
    auto made = LPIPSNetwork::random_for_benchmark(LPIPSNet::squeeze);
    made->to(type);
    return made;
  };
  check_content_loss(LPIPSLoss{network(torch::kFloat)}, LPIPSLoss{network(torch::kDouble)},
                     {.component = "LPIPS", .gradient_tolerance = 1e-4, .shape = {2, 3, 17, 24}});
  BOOST_TEST(loss_name(0.1 * LPIPSLoss{network(torch::kFloat)}) == "0.1 * lpips-squeeze");
}

BOOST_AUTO_TEST_CASE(values_and_gradients_of_an_independent_implementation) {
  if (!Fixture::available("content")) return;
  const Fixture fixture{"content"};
  const auto vgg = fixture_vgg(fixture);
  const auto target = fixture.input("target", {2, 3, 64, 64});
  const auto restored = fixture.input("restored", {2, 3, 64, 64}).requires_grad_();
  const auto compare = [&](const std::string& name, const auto& loss) {
    BOOST_TEST_CONTEXT(name) {
      const auto value = loss(restored, target);
      BOOST_TEST(relative_difference(value, fixture.at(name)) < limpid_test::kForwardAgreement);
      const auto gradient = torch::autograd::grad({value}, {restored})[0];
      BOOST_TEST(relative_difference(gradient, fixture.at(name + ".grad.restored")) <
                 limpid_test::kGradientAgreement);
    }
  };
  for (const std::string layer : {"conv3_3", "relu3_3"}) {
    compare(layer + ".perceptual", Perceptual{.vgg = vgg, .layer = layer});
    compare(layer + ".contextual", Contextual{.vgg = vgg, .layer = layer});
  }
  compare("conv3_3.perceptual", Perceptual{vgg});  // before activation by default
}

BOOST_AUTO_TEST_CASE(no_gradient_stays_on_the_network_even_on_a_clone_or_when_unfrozen) {
  auto vgg = random_vgg();
  auto clone = VGG19{std::dynamic_pointer_cast<VGG19Impl>(vgg->clone())};
  for (auto& parameter : vgg->parameters()) parameter.requires_grad_(true);
  const auto target = torch::rand({1, 3, 16, 16}).requires_grad_();
  for (const auto& network : {vgg, clone}) {
    auto restored = torch::rand({1, 3, 16, 16}).requires_grad_();
    (Perceptual{network, "conv2_1"} + Contextual{network, "conv2_1"} +
     StyleLoss{network, {"conv1_1"}})(restored, target)
        .backward();
    BOOST_TEST(restored.grad().defined());
    BOOST_TEST(!target.grad().defined());
    BOOST_TEST(!has_any_gradient(network));
  }
}

BOOST_AUTO_TEST_CASE(under_autocast_they_stay_float_and_train) {
  const auto vgg = random_vgg();
  torch::manual_seed(8);
  const auto target = torch::rand({2, 3, 16, 16}) * 2 - 1;
  auto restored = (target + 0.3 * torch::randn({2, 3, 16, 16})).requires_grad_();
  const auto exact = (Perceptual{vgg, "conv2_1"} + Contextual{vgg, "conv2_1"})(restored, target);
  at::Tensor loss;
  {
    const AutocastScope autocast{Precision::bfloat16, torch::kCPU};
    loss = (Perceptual{vgg, "conv2_1"} + Contextual{vgg, "conv2_1"})(restored, target);
  }
  BOOST_TEST((loss.scalar_type() == torch::kFloat));
  BOOST_TEST(relative_difference(loss, exact) < 0.05);
  loss.backward();
  BOOST_TEST(restored.grad().isfinite().all().item<bool>());
}

BOOST_AUTO_TEST_CASE(contextual_prefers_a_shifted_image_to_a_changed_one) {
  const auto vgg = random_vgg();
  torch::manual_seed(9);
  const auto target = torch::rand({1, 3, 16, 16}) * 2 - 1;
  const Contextual loss{.vgg = vgg, .layer = "conv1_2"};
  const auto shifted = loss(torch::roll(target, 1, 3), target).item<double>();
  const auto changed = loss(torch::rand({1, 3, 16, 16}) * 2 - 1, target).item<double>();
  BOOST_TEST(shifted < 0.5 * changed);
}

BOOST_AUTO_TEST_CASE(flat_images_give_finite_gradients) {
  const auto vgg = random_vgg();
  const auto target = torch::full({1, 3, 16, 16}, 0.25);
  auto restored = torch::full({1, 3, 16, 16}, 0.5).requires_grad_();
  const auto value = Contextual{.vgg = vgg, .layer = "conv2_1"}(restored, target);
  value.backward();
  BOOST_TEST(value.isfinite().item<bool>());
  BOOST_TEST(restored.grad().isfinite().all().item<bool>());
}

BOOST_AUTO_TEST_CASE(the_sum_of_the_paper_reads_as_it_does_there) {
  auto content = Perceptual{random_vgg(), "conv2_1"} + 0.5 * L1{};
  BOOST_TEST(loss_name(content) == "(perceptual + 0.5 * l1)");
  content.to(torch::kCPU);  // as the trainer does, on whatever device it runs
}

BOOST_AUTO_TEST_CASE(what_cannot_be_measured_is_refused) {
  const auto image = torch::zeros({1, 3, 16, 16});
  BOOST_TEST(limpid_test::value_error_of([&] { Perceptual{VGG19{nullptr}}(image, image); }) ==
             "Perceptual: expected a VGG19, got an empty handle");
  BOOST_TEST(limpid_test::value_error_of([&] { Perceptual{random_vgg()}(image, image); }) ==
             "VGG19: expected a layer no deeper than conv2_1, got 'conv3_3'");
  const auto grey = torch::zeros({1, 1, 16, 16});
  BOOST_TEST(limpid_test::value_error_of([&] { Contextual{random_vgg()}(grey, grey); }) ==
             "Contextual: expected image (N, 3, H, W), got [1, 1, 16, 16]");
  BOOST_TEST(limpid_test::value_error_of([&] {
               Contextual{.vgg = random_vgg(), .bandwidth = 0.0}(image, image);
             }) == "Contextual: bandwidth must be positive, got 0");
  BOOST_TEST(limpid_test::value_error_of([&] {
               StyleLoss{random_vgg(), {}}(image, image);
             }) == "StyleLoss: expected at least one layer");
  BOOST_TEST(limpid_test::value_error_of([&] { LPIPSLoss{LPIPSNetwork{nullptr}}(image, image); }) ==
             "LPIPS: expected a network, got an empty handle");
}

BOOST_AUTO_TEST_SUITE_END()

/// What tests/weights/write_losses.py wrote and computed.
BOOST_AUTO_TEST_SUITE(losses_from_python)

BOOST_AUTO_TEST_CASE(values_and_gradients_are_those_of_pytorch) {
  const auto folder = limpid_test::folder_from("LIMPID_LOSSES_DIR", "no LIMPID_LOSSES_DIR");
  if (!limpid_test::available(folder)) return;
  const auto expected = read_safetensors(folder / "losses.safetensors").tensors;
  const auto compare = [&](const std::string& name, const auto& loss) {
    BOOST_TEST_CONTEXT(name) {
      const auto restored = expected.at("restored").clone().requires_grad_();
      const auto value = loss(restored, expected.at("target"));
      BOOST_TEST(relative_difference(value, expected.at(name)) < limpid_test::kForwardAgreement);
      value.backward();
      BOOST_TEST(relative_difference(restored.grad(), expected.at(name + ".gradient")) <
                 limpid_test::kGradientAgreement);
    }
  };
  compare("focal_frequency", FocalFrequencyLoss{});
  compare("focal_frequency_2", FocalFrequencyLoss{.alpha = 2.0});
  compare("style", StyleLoss{load_vgg19(folder / "vgg19.pth", {.deepest = "conv3_3"})});
}

BOOST_AUTO_TEST_SUITE_END()
