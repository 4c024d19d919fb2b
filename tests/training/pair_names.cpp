#include <limpid/training/pair_names.hpp>
#include <support/tiny.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using limpid::Pairs, limpid::detail::checksum_of_names;
using limpid_test::DarkPictures;

BOOST_AUTO_TEST_SUITE(pair_names)

BOOST_AUTO_TEST_CASE(other_names_another_order_and_another_number_are_told_apart) {
  const Pairs pairs = DarkPictures{4};
  const auto checksum = checksum_of_names(pairs);
  BOOST_TEST(checksum.size() == 8U);
  BOOST_TEST(checksum_of_names(pairs.subset({0, 1, 2, 3})) == checksum);
  BOOST_TEST(checksum_of_names(pairs.subset({1, 0, 2, 3})) != checksum);
  BOOST_TEST(checksum_of_names(pairs.first(3)) != checksum);
  BOOST_TEST(checksum_of_names({}) == "00000000");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
