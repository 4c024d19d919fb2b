#include <limpid/core/shuffled.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

namespace {

using limpid::Random, limpid::shuffled;

BOOST_AUTO_TEST_SUITE(shuffles)

BOOST_AUTO_TEST_CASE(nothing_is_lost_and_a_seed_gives_one_order) {
  std::vector<int> numbers(100);
  std::iota(numbers.begin(), numbers.end(), 0);
  Random one{7}, same{7}, other{8};
  const auto order = shuffled(numbers, one);
  BOOST_TEST((order == shuffled(numbers, same)));
  BOOST_TEST((order != shuffled(numbers, other)));
  BOOST_TEST((order != numbers));
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  BOOST_TEST((sorted == numbers));
}

BOOST_AUTO_TEST_CASE(every_order_is_equally_likely) {
  std::map<std::vector<int>, int> counts;
  Random random{1};
  for (int i = 0; i < 6000; ++i) ++counts[shuffled(std::vector<int>{1, 2, 3}, random)];
  BOOST_TEST(counts.size() == 6u);
  for (const auto& [order, count] : counts) BOOST_TEST((count > 850 && count < 1150), count);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
