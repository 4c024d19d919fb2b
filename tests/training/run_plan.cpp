#include <limpid/training/run_plan.hpp>
#include <support/errors.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

namespace {

using namespace limpid;
using limpid::detail::RunPlan;

RunPlan plan(RunLength length, std::vector<std::int64_t> batches = {3, 5}) {
  TrainerOptions options;
  options.length = length;
  return {options, batches};
}

/// The step and the run's steps that a schedule is told.
struct Seen {
  std::int64_t step = -1, steps = -1, steps_per_epoch = -1;
};

Seen seen(const RunPlan& plan, std::int64_t step, double seconds, double seconds_of_step = 0) {
  Seen told;
  plan.rate(
      [&](double rate, std::int64_t at, std::int64_t steps, std::int64_t steps_per_epoch) {
        told = {at, steps, steps_per_epoch};
        return rate;
      },
      1e-3, step, seconds, seconds_of_step);
  return told;
}

BOOST_AUTO_TEST_SUITE(run_plan)

BOOST_AUTO_TEST_CASE(epochs_are_counted_in_steps) {
  const auto epochs = plan(Epochs{80});
  BOOST_TEST(epochs.steps_per_epoch() == 5);
  BOOST_TEST(epochs.last_step() == 400);
  BOOST_TEST(epochs.epoch_of(0) == 0);
  BOOST_TEST(epochs.epoch_of(399) == 79);
  BOOST_TEST(!epochs.finished(399, 1e9));
  BOOST_TEST(epochs.finished(400, 0));
  const auto told = seen(epochs, 7, 0);
  BOOST_TEST(told.step == 7);
  BOOST_TEST(told.steps == 400);
  BOOST_TEST(told.steps_per_epoch == 5);
}

BOOST_AUTO_TEST_CASE(a_run_longer_than_numbers_reach_is_refused) {
  const auto most = limpid::kMostSteps;
  BOOST_TEST(plan(Epochs{most / 5}).last_step() == most);
  BOOST_TEST(limpid_test::value_error_of([&] { plan(Epochs{most / 5 + 1}); }) ==
             "TrainerOptions: length: 200000000000001 epochs of 5 steps are more than "
             "1000000000000000 steps");
}

BOOST_AUTO_TEST_CASE(steps_are_steps_whatever_an_epoch_is) {
  const auto steps = plan(Steps{7});
  BOOST_TEST(steps.last_step() == 7);
  BOOST_TEST(seen(steps, 6, 0).steps == 7);
  BOOST_TEST(steps.seconds_left(3, 99, 2, 10) == 20);
}

BOOST_AUTO_TEST_CASE(minutes_are_told_in_thousandths_of_the_time) {
  const auto minutes = plan(Minutes{10});
  BOOST_TEST(minutes.last_step() == 0);
  BOOST_TEST(!minutes.finished(1'000'000, 599));
  BOOST_TEST(minutes.finished(1, 600));
  BOOST_TEST(minutes.seconds_left(5, 400, 5, 400) == 200);
  BOOST_TEST(seen(minutes, 0, 0).step == 0);
  const auto told = seen(minutes, 50, 300);  // 50 steps of 5 an epoch took half the time
  BOOST_TEST(told.step == 500);
  BOOST_TEST(told.steps == 1000);
  BOOST_TEST(told.steps_per_epoch == 50);
}

BOOST_AUTO_TEST_CASE(the_step_that_will_reach_the_end_of_the_time_has_the_final_rate) {
  const auto minutes = plan(Minutes{1});
  for (const Schedule& schedule : {Schedule{ConstantThenLinear{}}, Schedule{CosineDecay{}}}) {
    BOOST_TEST(minutes.rate(schedule, 1e-3, 9, 54, 5) > 1e-6);
    BOOST_TEST(minutes.rate(schedule, 1e-3, 9, 56, 5) == 1e-7);
    BOOST_TEST(minutes.rate(schedule, 1e-3, 9, 59.99, 0) == 1e-7);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
