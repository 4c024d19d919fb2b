#include <limpid/optim/schedule.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>

namespace {

using limpid::ConstantThenLinear, limpid::CosineDecay, limpid::Schedule;

const auto close = boost::test_tools::tolerance(1e-12);

BOOST_AUTO_TEST_SUITE(schedule)

BOOST_AUTO_TEST_CASE(by_epochs_constant_then_linear_has_the_values_of_the_thesis) {
  const ConstantThenLinear schedule{.by_epochs = true};
  for (const std::int64_t length : {1, 7}) {  // steps of an epoch
    const auto at = [&](std::int64_t epoch) {
      const auto first = schedule(1e-4, epoch * length, 80 * length, length);
      BOOST_TEST(schedule(1e-4, (epoch + 1) * length - 1, 80 * length, length) == first);
      return first;
    };
    for (std::int64_t epoch = 0; epoch < 40; ++epoch) BOOST_TEST(at(epoch) == 1e-4);
    BOOST_TEST(at(40) < 1e-4);
    BOOST_TEST(at(59) == (1e-4 + 1e-7) / 2, close);
    BOOST_TEST(at(79) == 1e-7);
    const auto drop = at(40) - at(41);
    for (std::int64_t epoch = 40; epoch < 80; ++epoch) {
      BOOST_TEST(at(epoch - 1) - at(epoch) == drop, boost::test_tools::tolerance(1e-9));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_schedule_ends_exactly_at_its_final_rate_whatever_the_length) {
  for (std::int64_t length = 1; length <= 12; ++length) {
    for (std::int64_t steps = 1; steps <= 60; ++steps) {
      for (const Schedule& schedule :
           {Schedule{ConstantThenLinear{}}, Schedule{ConstantThenLinear{.by_epochs = true}},
            Schedule{ConstantThenLinear{.constant_share = 0}},
            Schedule{ConstantThenLinear{.constant_share = 0.99, .by_epochs = true}},
            Schedule{CosineDecay{.final_rate = 1e-7}},
            Schedule{CosineDecay{.warmup_share = 1, .final_rate = 1e-7}},
            Schedule{CosineDecay{.final_rate = 1e-7, .warmup_epochs = 2.5}}}) {
        BOOST_TEST(schedule(1e-3, steps - 1, steps, length) == 1e-7);
        BOOST_TEST(schedule(1e-3, steps + 5, steps, length) == 1e-7);  // a run made shorter
        for (std::int64_t step = 0; step < steps; ++step) {
          const auto rate = schedule(1e-3, step, steps, length);
          BOOST_TEST((rate >= 1e-7 && rate <= 1e-3));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_single_epoch_decays_too) {
  for (const bool by_epochs : {false, true}) {
    const ConstantThenLinear schedule{.by_epochs = by_epochs};
    BOOST_TEST(schedule(1e-3, 49, 100, 100) == 1e-3);
    BOOST_TEST(schedule(1e-3, 74, 100, 100) == (1e-3 + 1e-7) / 2, close);
    BOOST_TEST(schedule(1e-3, 99, 100, 100) == 1e-7);
  }
}

BOOST_AUTO_TEST_CASE(without_epochs_the_rate_falls_with_each_step) {
  const ConstantThenLinear schedule{.constant_share = 0, .final_rate = 0};
  BOOST_TEST(schedule(1.0, 0, 10, 5) == 0.9);
  BOOST_TEST(schedule(1.0, 9, 10, 5) == 0.0);
  BOOST_TEST((ConstantThenLinear{.constant_share = 1}(1e-3, 9, 10, 5)) == 1e-3);
}

BOOST_AUTO_TEST_CASE(cosine_decay_warms_up_by_share_or_by_epochs_and_falls_to_its_final_rate) {
  for (const auto& schedule : {CosineDecay{.warmup_share = 0.1, .final_rate = 1e-6},
                               CosineDecay{.final_rate = 1e-6, .warmup_epochs = 0.5}}) {
    double last = 0;
    for (std::int64_t step = 0; step <= 10; ++step) {
      BOOST_TEST(schedule(1e-3, step, 100, 20) > last);
      last = schedule(1e-3, step, 100, 20);
    }
    BOOST_TEST(schedule(1e-3, 10, 100, 20) == 1e-3);
    for (std::int64_t step = 11; step < 100; ++step) {
      BOOST_TEST(schedule(1e-3, step, 100, 20) < last);
      last = schedule(1e-3, step, 100, 20);
    }
    BOOST_TEST(last == 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(a_warm_up_is_as_long_as_it_is_said_to_be_whatever_an_epoch_is) {
  // By share it does not see the epochs: neither vanishes in one long one nor takes a whole one.
  const CosineDecay schedule{.warmup_share = 0.02};
  for (const std::int64_t length : {1, 50, 1000}) {
    BOOST_TEST(schedule(1e-3, 0, 1000, length) < 1e-4);
    BOOST_TEST(schedule(1e-3, 19, 1000, length) < 1e-3);
    BOOST_TEST(schedule(1e-3, 20, 1000, length) == 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(cosine_decay_is_halfway_in_the_middle) {
  const CosineDecay schedule{.warmup_share = 0, .final_rate = 0};
  BOOST_TEST(schedule(1.0, 0, 101, 10) == 1.0);
  BOOST_TEST(schedule(1.0, 50, 101, 10) == 0.5, close);
}

BOOST_AUTO_TEST_CASE(a_lambda_is_a_schedule) {
  const Schedule schedule = [](double rate, std::int64_t step, std::int64_t steps,
                               std::int64_t steps_per_epoch) {
    return rate * static_cast<double>((steps - step) / steps_per_epoch);
  };
  BOOST_TEST(schedule(0.5, 1, 9, 4) == 1.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
