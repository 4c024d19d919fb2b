#include <limpid/metrics/statistics.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace {

using limpid::gain_statistics, limpid::statistics;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

BOOST_AUTO_TEST_SUITE(score_statistics)

BOOST_AUTO_TEST_CASE(mean_and_deviation_are_those_of_the_population) {
  const auto four = statistics({2, 4, 4, 6});
  BOOST_TEST(four.mean == 4.0);
  BOOST_TEST(four.std == std::sqrt(2.0), boost::test_tools::tolerance(1e-15));
  BOOST_TEST(four.count == 4);
  BOOST_TEST(four.left_out() == 0);
  BOOST_TEST(statistics({5}).std == 0.0);
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_is_left_out_and_counted) {
  const auto some = statistics({30, kInfinity, 34, NAN, NAN});
  BOOST_TEST(some.mean == 32.0);
  BOOST_TEST(some.std == 2.0);
  BOOST_TEST(some.count == 2);
  BOOST_TEST(some.exact == 1);
  BOOST_TEST(some.none == 2);
  BOOST_TEST(some.left_out() == 3);
  BOOST_TEST(some.pictures() == 5);
}

BOOST_AUTO_TEST_CASE(a_mean_of_nothing_finite_says_so) {
  const auto all_exact = statistics({kInfinity, kInfinity});
  BOOST_TEST(std::isnan(all_exact.mean), "a mean over no picture");
  BOOST_TEST(std::isnan(all_exact.std));
  BOOST_TEST(all_exact.count == 0);
  BOOST_TEST(all_exact.exact == 2);
  BOOST_TEST(std::isnan(statistics({}).mean));
  BOOST_TEST(std::isnan(statistics({NAN}).mean));
  BOOST_TEST(statistics({NAN}).none == 1);
}

BOOST_AUTO_TEST_CASE(gains_are_of_the_pictures_with_both_scores) {
  const auto gain = gain_statistics({20, kInfinity, 30, kInfinity, NAN, 10, kInfinity},
                                    {21, 40, kInfinity, kInfinity, 5, NAN, NAN});
  BOOST_TEST(gain.mean == 1.0);
  BOOST_TEST(gain.count == 1);
  BOOST_TEST(gain.exact == 3);
  BOOST_TEST(gain.none == 3);
  const auto nothing = gain_statistics({kInfinity}, {kInfinity});
  BOOST_TEST(std::isnan(nothing.mean), "no infinity less infinity, and no infinite gain");
  BOOST_TEST(nothing.exact == 1);
  BOOST_TEST(std::isnan(gain_statistics({kInfinity}, {40}).mean));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
