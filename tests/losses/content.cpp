#include <limpid/core/ranges.hpp>
#include <limpid/losses/content/charbonnier.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/edge_loss.hpp>
#include <limpid/losses/content/focal_frequency_loss.hpp>
#include <limpid/losses/content/frequency_loss.hpp>
#include <limpid/losses/content/gradient_loss.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/losses/content/ms_ssim_loss.hpp>
#include <limpid/losses/content/psnr_loss.hpp>
#include <limpid/losses/content/psnr_y_loss.hpp>
#include <limpid/losses/content/ssim_loss.hpp>
#include <limpid/losses/content/total_variation.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/gradients.hpp>
#include <support/losses.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>

namespace {

using namespace limpid;
using limpid_test::check_content_loss;
using limpid_test::Fixture;

const auto mean_difference = [](const at::Tensor& restored, const at::Tensor& target) {
  return (restored - target).mean();
};

static_assert(ContentLoss<decltype(mean_difference)>, "a lambda is a content loss");
static_assert(!NamedContentLoss<decltype(mean_difference)>, "but joins sums only by loss_of");

template <class A, class B>
concept Addable = requires(const A& a, const B& b) {
  a + b;
};
static_assert(Addable<L1, L2>);
static_assert(!Addable<L1, int> && !Addable<L1, at::Tensor>, "no operator is hijacked");

double value_of(const auto& loss, double restored, double target) {
  return loss(torch::full({2, 3, 4, 5}, restored), torch::full({2, 3, 4, 5}, target))
      .template item<double>();
}

bool close(double found, double expected) {
  return std::abs(found - expected) <= 1e-5 * std::abs(expected) + 1e-7;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(content_losses)

BOOST_AUTO_TEST_CASE(each_conforms) {
  check_content_loss(L1{}, {.component = "L1"});
  check_content_loss(L2{}, {.component = "L2"});
  check_content_loss(Charbonnier{}, {.component = "Charbonnier", .at_equal_images = 1e-3});
  check_content_loss(PSNRLoss{}, {.component = "PSNRLoss", .at_equal_images = -80.0});
  check_content_loss(PSNRYLoss{}, {.component = "PSNRYLoss", .at_equal_images = -80.0});
  check_content_loss(SSIMLoss{}, {.component = "SSIMLoss"});
  check_content_loss(SSIMLoss{}, {.component = "SSIMLoss", .shape = {2, 3, 13, 16}});
  check_content_loss(MSSSIMLoss{}, {.component = "MSSSIMLoss", .shape = {1, 3, 32, 49}});
  for (const auto spectrum : {Spectrum::full, Spectrum::half}) {
    check_content_loss(FrequencyLoss{spectrum}, {.component = "FrequencyLoss"});
  }
  check_content_loss(LaplacianEdge{}, {.component = "LaplacianEdge", .at_equal_images = 1e-3});
  check_content_loss(GradientLoss{}, {.component = "GradientLoss"});
  constexpr auto kNoConstant = std::numeric_limits<double>::quiet_NaN();
  check_content_loss(TotalVariation{},
                     {.component = "TotalVariation", .at_equal_images = kNoConstant});
  // Its gradient leaves out the weights' share: the next case.
  check_content_loss(FocalFrequencyLoss{},
                     {.component = "FocalFrequencyLoss",
                      .gradient_tolerance = std::numeric_limits<double>::infinity()});
}

BOOST_AUTO_TEST_CASE(the_gradient_of_focal_frequency_takes_its_weights_as_constants) {
  torch::manual_seed(3);
  const auto restored = torch::rand({2, 3, 8, 9}, torch::kDouble);
  const auto target = torch::rand({2, 3, 8, 9}, torch::kDouble);
  const FocalFrequencyLoss loss{.alpha = 1.5};
  const auto weights = loss.weights(loss.squared_distance(restored, target));
  BOOST_TEST(weights.max().item<double>() == 1.0);
  BOOST_TEST(weights.min().item<double>() > 0.0);
  const auto with_constants = [&](const at::Tensor& image) {
    return (weights * loss.squared_distance(image, target)).mean();
  };
  BOOST_TEST(limpid_test::gradient_error(with_constants, restored) < 1e-6);
  auto x = restored.clone().requires_grad_(), y = restored.clone().requires_grad_();
  loss(x, target).backward();
  with_constants(y).backward();
  BOOST_TEST(torch::allclose(x.grad(), y.grad()));
}

BOOST_AUTO_TEST_CASE(values_found_by_hand) {
  BOOST_TEST(close(value_of(L1{}, 0.5, -0.25), 0.75));
  BOOST_TEST(close(value_of(L2{}, 0.5, -0.25), 0.5625));
  BOOST_TEST(close(value_of(Charbonnier{.epsilon = 1.0}, 0.5, -0.25), 1.25));
  // A difference of 0.2 in [-1, 1] is 0.1 in [0, 1]: 20 dB.
  BOOST_TEST(close(value_of(PSNRLoss{}, 0.1, -0.1), -20.0 + 10 * std::log10(1 + 1e-6)));
  // Of all three channels alike: Y moves by 219 / 255 of it.
  BOOST_TEST(close(value_of(PSNRYLoss{}, 0.1, -0.1), -20.0 + 20 * std::log10(219.0 / 255)));
  // Constants: luminance alone, (2 a b + C1) / (a^2 + b^2 + C1) of 0.75 and 0.375.
  BOOST_TEST(close(value_of(SSIMLoss{}, 0.5, -0.25), 1 - (0.5625 + 1e-4) / (0.703125 + 1e-4)));
  // Only the mean differs, by 0.75: of 40 numbers one is 20 * 0.75.
  BOOST_TEST(close(value_of(FrequencyLoss{}, 0.5, -0.25), 15.0 / 40));
  BOOST_TEST(close(value_of(FrequencyLoss{Spectrum::half}, 0.5, -0.25), 15.0 / 24));
  // An orthonormal transform: of 20 frequencies one is sqrt(20) * 0.75, and counts whole.
  BOOST_TEST(close(value_of(FocalFrequencyLoss{}, 0.5, -0.25), 0.5625));
  // What a constant differs by is no edge.
  BOOST_TEST(close(value_of(GradientLoss{}, 0.5, -0.25), 0.0));
  BOOST_TEST(close(value_of(TotalVariation{}, 0.5, -0.25), 0.0));
  const auto ramp = torch::arange(5, torch::kFloat).expand({1, 3, 4, 5});
  BOOST_TEST(close(TotalVariation{}(ramp, ramp).item<double>(), 1.0));
  BOOST_TEST(close(GradientLoss{}(ramp, -ramp).item<double>(), 2.0));
}

BOOST_AUTO_TEST_CASE(a_floor_bounds_what_a_clean_picture_is_worth) {
  const PSNRLoss bottomless{}, floored{.floor = 3e-4};
  const auto slope = [](const PSNRLoss& loss, double off) {
    auto restored = torch::full({1, 3, 4, 4}, 2 * off).requires_grad_();
    loss(restored, torch::zeros({1, 3, 4, 4})).backward();
    return restored.grad().abs().sum().item<double>();
  };
  // Nearly clean, an error of 1e-3: without a floor it pulls more the better it gets.
  BOOST_TEST(slope(bottomless, 1e-3) > 30 * slope(bottomless, 5e-2));
  BOOST_TEST(slope(floored, 1e-3) < slope(floored, 5e-2));
  BOOST_TEST(close(value_of(floored, 0.3, 0.3), 10 * std::log10(3e-4)));
}

BOOST_AUTO_TEST_CASE(edges_are_what_a_step_of_the_pyramid_loses) {
  // A single bright pixel at an even place: x - 4 * blur(blur(x) at even places).
  auto image = torch::zeros({1, 1, 9, 9}, torch::kDouble);
  image[0][0][4][4] = 1.0;
  const auto value = LaplacianEdge{.epsilon = 1e-12}(image, torch::zeros_like(image));
  // By hand, in one dimension: blur is (.05 .25 .4 .25 .05), kept at even places (.05 .4 .05);
  // 2 * its blur at the places 4 to 8 is s = (.33 .225 .08 .025 .005).
  const double s[] = {0.33, 0.225, 0.08, 0.025, 0.005};
  double sum = 0;
  for (int y = 0; y < 9; ++y) {
    for (int x = 0; x < 9; ++x) {
      const double of_pixel = y == 4 && x == 4 ? 1.0 : 0.0;
      sum += std::abs(of_pixel - s[std::abs(y - 4)] * s[std::abs(x - 4)]);
    }
  }
  BOOST_TEST(close(value.item<double>(), sum / 81));
}

BOOST_AUTO_TEST_CASE(ssim_of_a_small_side_takes_the_window_that_fits) {
  torch::manual_seed(4);
  const auto target = torch::rand({1, 3, 1, 30}) * 2 - 1;
  const auto narrow = SSIMLoss{}(target * 0.5, target).item<double>();
  // A row repeated is the same in every window.
  const auto wide = SSIMLoss{}(target.expand({1, 3, 11, 30}) * 0.5, target.expand({1, 3, 11, 30}));
  BOOST_TEST(close(narrow, wide.item<double>()));
  const auto tiny = torch::zeros({1, 3, 15, 64});
  BOOST_TEST(limpid_test::value_error_of([&] { MSSSIMLoss{}(tiny, tiny); }) ==
             "MSSSIMLoss: expected sides of at least 16 pixels, got [1, 3, 15, 64]");
}

BOOST_AUTO_TEST_CASE(charbonnier_scales_with_its_epsilon_from_unit_to_signed_range) {
  const auto unit = value_of(Charbonnier{.epsilon = 1e-1}, 0.5, 0.3);
  const auto signed_range = value_of(Charbonnier{.epsilon = 2e-1}, 0.0, -0.4);
  BOOST_TEST(close(signed_range, 2 * unit));
}

BOOST_AUTO_TEST_CASE(an_epsilon_that_is_not_positive_is_refused) {
  const auto image = torch::zeros({1, 3, 4, 4});
  const auto text = [&](const auto& loss) {
    return limpid_test::value_error_of([&] { loss(image, image); });
  };
  BOOST_TEST(text(Charbonnier{.epsilon = 0.0}) == "Charbonnier: epsilon must be positive, got 0");
  BOOST_TEST(text(PSNRLoss{.floor = -1.0}) == "PSNRLoss: floor must be positive, got -1");
  BOOST_TEST(text(PSNRYLoss{.floor = 0.0}) == "PSNRYLoss: floor must be positive, got 0");
  BOOST_TEST(text(LaplacianEdge{.epsilon = 0.0}) ==
             "LaplacianEdge: epsilon must be positive, got 0");
  BOOST_TEST(text(FocalFrequencyLoss{.alpha = -1.0}) ==
             "FocalFrequencyLoss: alpha must not be negative, got -1");
}

BOOST_AUTO_TEST_CASE(values_and_gradients_of_an_independent_implementation) {
  if (!Fixture::available("losses")) return;
  const Fixture fixture{"losses"};
  struct Images {
    at::Tensor restored, target;
    Images(const Fixture& from, at::IntArrayRef shape, const std::string& suffix = "") {
      const auto exact = (from.noise("target" + suffix, shape) + 1) / 2;
      target = exact.to(torch::kFloat);
      restored = (0.8 * exact + 0.2 * (from.noise("restored" + suffix, shape) + 1) / 2)
                     .to(torch::kFloat)
                     .requires_grad_();
    }
  };
  const auto compare = [&](const std::string& name, const Images& images, const at::Tensor& value) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(limpid_test::relative_difference(value, fixture.at(name + ".value")) <
                 limpid_test::kForwardAgreement);
      const auto gradient = torch::autograd::grad({value}, {images.restored})[0];
      BOOST_TEST(limpid_test::relative_difference(gradient, fixture.at(name + ".grad.restored")) <
                 limpid_test::kGradientAgreement);
    }
  };
  const Images images{fixture, {2, 3, 48, 64}};
  // The fixture's images are in [0, 1]: losses that take them as they come,
  const auto as_it_comes = [&](const std::string& name, const auto& loss) {
    compare(name, images, loss(images.restored, images.target));
  };
  as_it_comes("charbonnier", Charbonnier{});
  as_it_comes("frequency", FrequencyLoss{});
  as_it_comes("frequency_half", FrequencyLoss{Spectrum::half});
  as_it_comes("edge", LaplacianEdge{});
  as_it_comes("total_variation", TotalVariation{});
  as_it_comes("gradient", GradientLoss{});
  // and such that convert.
  const auto converted = [&](const std::string& name, const Images& of, const auto& loss) {
    compare(name, of, loss(to_signed(of.restored), to_signed(of.target)));
  };
  converted("psnr", images, PSNRLoss{});
  converted("psnr_y", images, PSNRYLoss{});
  converted("ssim", images, SSIMLoss{});
  converted("ms_ssim", Images{fixture, {1, 3, 176, 176}, ".large"}, MSSSIMLoss{});
}

BOOST_AUTO_TEST_CASE(sums_and_weights_are_what_they_say) {
  const auto loss = L2{} + 0.5 * L1{} + Charbonnier{.epsilon = 1.0} * 2.0;
  static_assert(NamedContentLoss<std::remove_const_t<decltype(loss)>>);
  BOOST_TEST(close(value_of(loss, 0.5, -0.25), 0.5625 + 0.5 * 0.75 + 2 * 1.25));
  BOOST_TEST(loss_name(loss) == "(l2 + 0.5 * l1 + 2 * charbonnier)");
  BOOST_TEST(std::tuple_size_v<decltype(loss.terms)> == 3u);

  const auto halved = 0.5 * (L1{} + L2{});
  BOOST_TEST(close(value_of(halved, 0.5, -0.25), 0.5 * (0.75 + 0.5625)));
  BOOST_TEST(loss_name(halved) == "0.5 * (l1 + l2)");
  BOOST_TEST(close(value_of(2 * L1{}, 0.5, -0.25), 1.5));
}

BOOST_AUTO_TEST_CASE(a_sum_conforms_as_its_terms_do) {
  check_content_loss(L2{} + 0.5 * L1{}, {.component = "L2"});
}

BOOST_AUTO_TEST_CASE(a_lambda_joins_a_sum_under_a_name) {
  const auto loss = 3 * loss_of(mean_difference, "offset") + L1{};
  BOOST_TEST(close(value_of(loss, 0.5, -0.25), 4 * 0.75));
  BOOST_TEST(loss_name(loss) == "(3 * offset + l1)");
}

BOOST_AUTO_TEST_CASE(terms_of_a_sum_can_be_logged_one_by_one) {
  const auto loss = L2{} + 0.5 * (L1{} + 4 * loss_of(mean_difference));
  const auto restored = torch::full({1, 3, 4, 4}, 0.5);
  const auto target = torch::full({1, 3, 4, 4}, -0.25);
  const auto terms = loss_terms(loss, restored, target);
  BOOST_REQUIRE(terms.size() == 3u);
  BOOST_TEST(terms[0].name == "l2");
  BOOST_TEST(terms[1].name == "l1");
  BOOST_TEST(terms[1].weight == 0.5);
  BOOST_TEST(terms[2].name == "custom");
  BOOST_TEST(terms[2].weight == 2.0);
  BOOST_TEST(close(terms[1].value.item<double>(), 0.75));
  BOOST_TEST(close(sum_of(terms).item<double>(), loss(restored, target).item<double>()));

  const auto only = loss_terms(mean_difference, restored, target);
  BOOST_REQUIRE(only.size() == 1u);
  BOOST_TEST(only[0].name == "content");
}

BOOST_AUTO_TEST_SUITE_END()
