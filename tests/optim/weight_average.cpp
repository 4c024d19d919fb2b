#include <limpid/optim/weight_average.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>

namespace {

using limpid::WeightAverage;

BOOST_AUTO_TEST_SUITE(weight_average)

BOOST_AUTO_TEST_CASE(follows_its_formula_from_the_first_weights_on) {
  const auto weight = torch::zeros({2, 3}, torch::kDouble).requires_grad_();
  WeightAverage average{0.25, {weight}};
  auto expected = torch::Tensor{};
  for (std::int64_t n = 0; n < 6; ++n) {
    {
      const torch::NoGradGuard no_grad;
      weight.copy_(torch::arange(6).view({2, 3}) * (n + 1.5));
    }
    average.update();
    const auto share = std::min(0.25, (1.0 + n) / (10.0 + n));  // the fourth is the first full one
    expected = n == 0 ? weight.detach().clone() : share * expected + (1 - share) * weight.detach();
    BOOST_TEST(torch::allclose(average.averages()[0], expected, 1e-14, 0), "update " << n);
    BOOST_TEST(!average.averages()[0].requires_grad());
  }
  BOOST_TEST(average.updates() == 6);
}

BOOST_AUTO_TEST_CASE(what_does_not_move_stays_bit_equal_and_counters_are_copied) {
  const auto frozen = torch::rand({50}), counter = torch::zeros({}, torch::kLong);
  WeightAverage average{0.9, {frozen, counter}};
  for (int n = 0; n < 20; ++n) {
    counter.add_(3);
    average.update();
  }
  BOOST_TEST(torch::equal(average.averages()[0], frozen));
  BOOST_TEST(average.averages()[1].item<std::int64_t>() == 60);
}

BOOST_AUTO_TEST_CASE(weights_and_averages_change_places_and_back_without_a_bit_lost) {
  const auto weight = torch::rand({7}).requires_grad_();
  WeightAverage average{0.999, {weight}};
  for (int n = 0; n < 3; ++n) {
    {
      const torch::NoGradGuard no_grad;
      weight.add_(torch::rand({7}));
    }
    average.update();
  }
  const auto raw = weight.detach().clone(), mean = average.averages()[0].clone();
  BOOST_TEST(!torch::equal(raw, mean));
  average.exchange();
  BOOST_TEST(torch::equal(weight, mean));
  average.exchange();
  BOOST_TEST(torch::equal(weight, raw));
  BOOST_TEST(torch::equal(average.averages()[0], mean));
}

BOOST_AUTO_TEST_CASE(a_share_that_is_none_is_refused) {
  for (const double share : {0.0, 1.0, -0.5}) {
    BOOST_TEST(limpid_test::error_of([&] {
                 WeightAverage{share, {}};
               }).rfind("WeightAverage: expected a share above 0 and below 1, got ", 0) == 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
