#include <limpid/core/gaussian_taps.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <numeric>

using limpid::detail::gaussian_taps;
namespace tt = boost::test_tools;

BOOST_AUTO_TEST_SUITE(gaussian_taps_of_core)

BOOST_AUTO_TEST_CASE(taps_are_symmetric_sum_to_one_and_fall_as_a_gaussian) {
  const auto taps = gaussian_taps(11, 1.5);
  BOOST_TEST(std::accumulate(taps.begin(), taps.end(), 0.0) == 1, tt::tolerance(1e-12));
  for (std::size_t i = 0; i < taps.size(); ++i) {
    BOOST_TEST(taps[i] == taps[taps.size() - 1 - i], tt::tolerance(1e-12));
  }
  BOOST_TEST(taps[6] / taps[5] == std::exp(-1 / 4.5), tt::tolerance(1e-12));
  BOOST_TEST(taps[8] / taps[5] == std::exp(-9 / 4.5), tt::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(an_even_number_of_taps_has_its_middle_between_two) {
  const auto taps = gaussian_taps(2, 3);
  BOOST_TEST(taps[0] == 0.5, tt::tolerance(1e-12));
  BOOST_TEST(taps[1] == 0.5, tt::tolerance(1e-12));
  BOOST_TEST(gaussian_taps(1, 0.1)[0] == 1);
}

BOOST_AUTO_TEST_SUITE_END()
