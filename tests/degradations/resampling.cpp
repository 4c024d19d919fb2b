#include <limpid/degradations/resampling.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <numeric>
#include <vector>

using namespace limpid;
using limpid::detail::Resample;
using limpid::detail::resample_taps;
using limpid_test::error_of;

namespace {

std::vector<double> resampled(const std::vector<double>& values, std::int64_t to, Resample how) {
  std::vector<double> result;
  for (const auto& tap : resample_taps(static_cast<std::int64_t>(values.size()), to, how)) {
    result.push_back(std::inner_product(tap.weights.begin(), tap.weights.end(),
                                        values.begin() + tap.first, 0.0));
  }
  return result;
}

void check_near(const std::vector<double>& values, const std::vector<double>& expected) {
  BOOST_TEST_REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    BOOST_TEST(std::abs(values[i] - expected[i]) < 1e-9, i << ": " << values[i]);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(resampling)

BOOST_AUTO_TEST_CASE(one_side_comes_out_as_worked_out_by_hand) {
  check_near(resampled({0, 1, 2, 6, 4, 8}, 3, Resample::area), {0.5, 4, 6});
  check_near(resampled({0, 3, 6}, 2, Resample::area), {1, 5});  // 1.5 samples each
  // A triangle two wide on each side: 1/8, 3/8, 3/8, 1/8; at the border 3/7, 3/7, 1/7.
  check_near(resampled({0, 8, 8, 0}, 2, Resample::linear), {32.0 / 7, 32.0 / 7});
  check_near(resampled({0, 4}, 4, Resample::linear), {0, 1, 3, 4});
  // Half way between two samples Keys' cubic weighs -1/16, 9/16, 9/16, -1/16.
  BOOST_TEST(limpid::detail::cubic_weight(0.5) == 9.0 / 16);
  BOOST_TEST(limpid::detail::cubic_weight(-1.5) == -1.0 / 16);
  BOOST_TEST(limpid::detail::cubic_weight(0) == 1);
  BOOST_TEST(limpid::detail::cubic_weight(1) == 0);
}

BOOST_AUTO_TEST_CASE(down_and_up_at_once_is_down_and_then_up) {
  std::vector<double> values;
  for (int i = 0; i < 23; ++i) values.push_back(std::sin(i * i));
  for (const auto down : {Resample::area, Resample::linear, Resample::cubic}) {
    const auto expected = resampled(resampled(values, 9, down), 23, Resample::cubic);
    std::vector<double> at_once;
    for (const auto& tap : limpid::detail::down_and_up_taps(23, 9, down, Resample::cubic)) {
      at_once.push_back(std::inner_product(tap.weights.begin(), tap.weights.end(),
                                           values.begin() + tap.first, 0.0));
    }
    check_near(at_once, expected);
  }
}

BOOST_AUTO_TEST_CASE(factor_1_keeps_a_picture_and_larger_ones_keep_its_mean_but_not_its_detail) {
  const auto photo = limpid_test::made_up_photo(60, 64);
  Random random{1};
  const auto same = Resampling{.factor = 1}(photo, random);
  BOOST_TEST((same - photo).abs().max().item<float>() < 1e-6f);
  const auto stripes = torch::arange(64).remainder(2).to(torch::kFloat).expand({3, 64, 64});
  const auto grey = Resampling{.factor = 2, .linear = 1, .cubic = 0}(stripes, random);
  BOOST_TEST((grey.narrow(2, 4, 56) - 0.5).abs().max().item<float>() < 1e-5f);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_named) {
  Random random{1};
  const auto photo = torch::rand({3, 20, 20});
  BOOST_TEST(error_of([&] {
               return Resampling{.factor = {0.5, 2}}(photo, random);
             }) == "Resampling: factor must lie within 1:256, got 0.5:2");
  BOOST_TEST(error_of([&] { return Resampling{.linear = 0, .cubic = 0}(photo, random); }) ==
             "Resampling: expected linear or cubic for the way up, got 0 for both");
}

BOOST_AUTO_TEST_SUITE_END()
