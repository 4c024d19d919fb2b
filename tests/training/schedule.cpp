#include <limpid/training/schedule.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>

namespace {

using limpid::ConstantThenLinear, limpid::CosineDecay, limpid::Schedule;

BOOST_AUTO_TEST_SUITE(schedule)

BOOST_AUTO_TEST_CASE(constant_then_linear_has_the_values_of_the_thesis) {
  const ConstantThenLinear schedule;
  for (std::int64_t epoch = 0; epoch < 40; ++epoch) BOOST_TEST(schedule(1e-4, epoch, 80) == 1e-4);
  BOOST_TEST(schedule(1e-4, 40, 80) < 1e-4);
  BOOST_TEST(schedule(1e-4, 59, 80) == (1e-4 + 1e-7) / 2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(schedule(1e-4, 79, 80) == 1e-7);
  const auto drop = schedule(1e-4, 40, 80) - schedule(1e-4, 41, 80);
  for (std::int64_t epoch = 40; epoch < 80; ++epoch) {
    BOOST_TEST(schedule(1e-4, epoch - 1, 80) - schedule(1e-4, epoch, 80) == drop,
               boost::test_tools::tolerance(1e-9));
  }
}

BOOST_AUTO_TEST_CASE(constant_then_linear_takes_any_length_and_share) {
  const ConstantThenLinear schedule;
  BOOST_TEST(schedule(1e-3, 0, 1) == 1e-3);
  BOOST_TEST(schedule(1e-3, 1, 2) == 1e-7);
  BOOST_TEST(schedule(1e-3, 100, 80) == 1e-7);  // past the end: a run that was made longer
  BOOST_TEST((ConstantThenLinear{.constant_share = 1}(1e-3, 9, 10)) == 1e-3);
  BOOST_TEST((ConstantThenLinear{.constant_share = 0, .final_rate = 0}(1.0, 0, 10)) == 0.9);
  BOOST_TEST((ConstantThenLinear{.constant_share = 0, .final_rate = 0}(1.0, 9, 10)) == 0.0);
}

BOOST_AUTO_TEST_CASE(cosine_decay_warms_up_and_falls_to_its_final_rate) {
  const CosineDecay schedule{.warmup_share = 0.1, .final_rate = 1e-6};
  double last = 0;
  for (std::int64_t step = 0; step <= 10; ++step) {
    BOOST_TEST(schedule(1e-3, step, 100) > last);
    last = schedule(1e-3, step, 100);
  }
  BOOST_TEST(schedule(1e-3, 10, 100) == 1e-3);
  for (std::int64_t step = 11; step < 100; ++step) {
    BOOST_TEST(schedule(1e-3, step, 100) < last);
    last = schedule(1e-3, step, 100);
  }
  BOOST_TEST(schedule(1e-3, 99, 100) == 1e-6);
  BOOST_TEST(schedule(1e-3, 200, 100) == 1e-6);
}

BOOST_AUTO_TEST_CASE(cosine_decay_is_halfway_in_the_middle) {
  const CosineDecay schedule{.warmup_share = 0, .final_rate = 0};
  BOOST_TEST(schedule(1.0, 0, 101) == 1.0);
  BOOST_TEST(schedule(1.0, 50, 101) == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(schedule(1.0, 0, 1) == 1.0);
}

BOOST_AUTO_TEST_CASE(a_lambda_is_a_schedule) {
  const Schedule schedule = [](double rate, std::int64_t unit, std::int64_t units) {
    return rate * static_cast<double>(units - unit);
  };
  BOOST_TEST(schedule(0.5, 1, 3) == 1.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
