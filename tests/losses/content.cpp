#include <limpid/core/ranges.hpp>
#include <limpid/losses/content/charbonnier.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/losses/content/psnr_loss.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/losses.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
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
}

BOOST_AUTO_TEST_CASE(values_found_by_hand) {
  BOOST_TEST(close(value_of(L1{}, 0.5, -0.25), 0.75));
  BOOST_TEST(close(value_of(L2{}, 0.5, -0.25), 0.5625));
  BOOST_TEST(close(value_of(Charbonnier{.epsilon = 1.0}, 0.5, -0.25), 1.25));
  // A difference of 0.2 in [-1, 1] is 0.1 in [0, 1]: 20 dB.
  BOOST_TEST(close(value_of(PSNRLoss{}, 0.1, -0.1), -20.0 + 10 * std::log10(1 + 1e-6)));
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
  BOOST_TEST(text(PSNRLoss{.epsilon = -1.0}) == "PSNRLoss: epsilon must be positive, got -1");
}

BOOST_AUTO_TEST_CASE(values_and_gradients_of_an_independent_implementation) {
  if (!Fixture::available("losses")) return;
  const Fixture fixture{"losses"};
  constexpr std::int64_t shape[] = {2, 3, 48, 64};
  const auto exact = (fixture.noise("target", shape) + 1) / 2;
  const auto target = exact.to(torch::kFloat);
  const auto restored = (0.8 * exact + 0.2 * (fixture.noise("restored", shape) + 1) / 2)
                            .to(torch::kFloat)
                            .requires_grad_();
  const auto compare = [&](const std::string& name, const at::Tensor& value) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(limpid_test::relative_difference(value, fixture.at(name + ".value")) <
                 limpid_test::kForwardAgreement);
      const auto gradient = torch::autograd::grad({value}, {restored})[0];
      BOOST_TEST(limpid_test::relative_difference(gradient, fixture.at(name + ".grad.restored")) <
                 limpid_test::kGradientAgreement);
    }
  };
  // The fixture's images are in [0, 1]. Charbonnier takes them as they come, PSNRLoss converts.
  compare("charbonnier", Charbonnier{}(restored, target));
  compare("psnr", PSNRLoss{}(to_signed(restored), to_signed(target)));
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
