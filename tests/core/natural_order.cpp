#include <limpid/core/natural_order.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using limpid::natural_less;

BOOST_AUTO_TEST_SUITE(natural_order)

BOOST_AUTO_TEST_CASE(digits_count_as_numbers_of_any_length) {
  const std::vector<std::string> ordered{
      "", "1", "a", "a2", "a2b", "a10", "a99999999999999999998", "a99999999999999999999", "b"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      BOOST_TEST(natural_less(ordered[i], ordered[j]) == (i < j), ordered[i] << " " << ordered[j]);
    }
  }
}

BOOST_AUTO_TEST_CASE(zeros_before_a_number_decide_last) {
  BOOST_TEST(natural_less("a007", "a7"));
  BOOST_TEST(!natural_less("a7", "a007"));
  BOOST_TEST(natural_less("a007", "a8"));
  BOOST_TEST(natural_less("a7", "a0008"));
  BOOST_TEST(!natural_less("a07", "a07"));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
