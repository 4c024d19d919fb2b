#include <limpid/training/epoch_policy.hpp>
#include <limpid/training/options.hpp>

#include <boost/test/unit_test.hpp>

namespace {

using namespace limpid;

BOOST_AUTO_TEST_SUITE(epoch_policy)

BOOST_AUTO_TEST_CASE(policies_count_the_steps_that_they_name) {
  BOOST_TEST(ShortestEpoch{}({1051, 210, 861}) == 210);
  BOOST_TEST(LongestEpoch{}({1051, 210, 861}) == 1051);
  BOOST_TEST(FixedSteps{}({1051, 210, 861}) == 1000);
  BOOST_TEST(FixedSteps{7}({1, 2}) == 7);
  BOOST_TEST(ShortestEpoch{}({5}) == 5);
  BOOST_TEST(LongestEpoch{}({5}) == 5);
}

BOOST_AUTO_TEST_CASE(a_trainer_goes_through_the_largest_data_set_unless_told) {
  BOOST_TEST(TrainerOptions{}.epoch({3, 9, 4}) == 9);
  const EpochPolicy sum = [](const auto& batches) { return batches[0] + batches[1]; };
  BOOST_TEST(sum({3, 9}) == 12);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
