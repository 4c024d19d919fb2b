#include <limpid/optim/named_schedules.hpp>
#include <support/errors.hpp>
#include <support/named.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>

namespace {

using namespace limpid;

double rate(const std::string& text, std::int64_t step, std::int64_t steps,
            std::int64_t steps_per_epoch = 10) {
  return named_schedule(text).schedule(1.0, step, steps, steps_per_epoch);
}

std::string error(const std::string& text) {
  return limpid_test::error_of([&] { named_schedule(text); });
}

BOOST_AUTO_TEST_SUITE(named_schedules)

BOOST_AUTO_TEST_CASE(parts_make_the_schedules_that_have_types) {
  const ConstantThenLinear thesis{.constant_share = 0.5, .final_rate = 1e-3};
  const CosineDecay cosine{.warmup_share = 0.1, .final_rate = 1e-3};
  for (const std::int64_t steps : {1, 2, 7, 100, 101}) {
    for (std::int64_t step = 0; step < steps; ++step) {
      BOOST_TEST(rate("constant:length=0.5+linear:final=1e-3", step, steps) ==
                     thesis(1.0, step, steps, 10),
                 "thesis, step " << step << " of " << steps);
      BOOST_TEST(
          rate("warm-up:length=0.1+cosine:final=1e-3", step, steps) == cosine(1.0, step, steps, 10),
          "cosine, step " << step << " of " << steps);
      BOOST_TEST(rate("constant", step, steps) == 1.0);
    }
  }
}

BOOST_AUTO_TEST_CASE(types_and_names_make_the_same_sequence) {
  const Schedule typed = ScheduleSequence{{WarmUp{}, Stretch::steps(5)}, {CosineFall{}}};
  for (std::int64_t step = 0; step < 40; ++step) {
    BOOST_TEST(typed(0.5, step, 40, 10) ==
               named_schedule("warm-up:length=5steps+cosine").schedule(0.5, step, 40, 10));
  }
}

BOOST_AUTO_TEST_CASE(lengths_are_shares_steps_or_epochs) {
  for (const std::string length : {"0.2", "20steps", "2epochs"}) {
    const auto text = "warm-up:length=" + length + " + constant";
    BOOST_TEST(rate(text, 0, 100) == 1.0 / 21);
    BOOST_TEST(rate(text, 19, 100) == 20.0 / 21);
    BOOST_TEST(rate(text, 20, 100) == 1.0);
  }
  // Parts without a length share the rest, and the last goes on to the end.
  const std::string three = "warm-up:length=10steps+constant+linear:final=0";
  BOOST_TEST(rate(three, 54, 100) == 1.0);
  BOOST_TEST(rate(three, 55, 100) < 1.0);
  BOOST_TEST(rate(three, 99, 100) == 0.0);
  BOOST_TEST(rate("constant:length=10steps+linear:length=10steps,final=0", 99, 100) == 0.0);
  BOOST_TEST(rate("warm-up+cosine", 1, 100) == 2.0 / 3);  // 0.02 of the run
  // A run that is shorter than its warm-up.
  BOOST_TEST(rate("warm-up:length=500steps+cosine:final=0.1", 8, 10) == 0.9);
  BOOST_TEST(rate("warm-up:length=500steps+cosine:final=0.1", 9, 10) == 0.1);
}

BOOST_AUTO_TEST_CASE(milestones_are_those_of_pytorch) {
  // torch.optim.lr_scheduler.MultiStepLR(milestones=[30, 60], gamma=0.1) of 100 steps.
  for (const std::string at : {"0.3/0.6", "30steps/60steps", "3epochs/0.6"}) {
    const auto text = "multi-step:at=" + at + ",factor=0.1";
    for (std::int64_t step = 0; step < 100; ++step) {
      BOOST_TEST(rate(text, step, 100) == std::pow(0.1, (step >= 30) + (step >= 60)),
                 boost::test_tools::tolerance(1e-12));
    }
  }
}

BOOST_AUTO_TEST_CASE(restarts_begin_high_and_grow_longer) {
  const std::string text = "restarts:first=10steps,longer=2,lower=0.5,final=0";
  for (const auto& [begin, length, highest] :
       {std::tuple{0, 10, 1.0}, std::tuple{10, 20, 0.5}, std::tuple{30, 40, 0.25}}) {
    BOOST_TEST(rate(text, begin, 100) == highest);
    BOOST_TEST(rate(text, begin + length - 1, 100) == 0.0);
    for (int i = 1; i < length; ++i) {
      BOOST_TEST(rate(text, begin + i, 100) < rate(text, begin + i - 1, 100));
      const auto cosine = 0.5 * highest * (1 + std::cos(M_PI * i / (length - 1)));
      BOOST_TEST(std::abs(rate(text, begin + i, 100) - cosine) < 1e-12);
    }
  }
  BOOST_TEST(rate("restarts:first=0.5,longer=1", 50, 100) == 1.0);
  BOOST_TEST(rate("restarts:first=0,longer=1", 5, 100) >= 0.0);
}

BOOST_AUTO_TEST_CASE(by_epochs_the_rate_holds_within_one) {
  for (const std::string text : {"linear:by=epoch,final=0.1", "cosine:by=epoch,final=0.1"}) {
    for (std::int64_t step = 0; step < 95; ++step) {  // the last epoch is cut short
      BOOST_TEST(rate(text, step, 95) == rate(text, step - step % 10, 95));
      if (step % 10 == 9) BOOST_TEST(rate(text, step + 1, 95) < rate(text, step, 95));
    }
    BOOST_TEST(rate(text, 94, 95) == 0.1);
  }
  BOOST_TEST(rate("cosine:by=epoch", 0, 100) == 1.0);
}

BOOST_AUTO_TEST_CASE(words_that_say_none_are_refused) {
  limpid_test::check_table(kSchedules);
  BOOST_TEST(error("cosin").find("expected a schedule, one of constant, warm-up") == 0U);
  BOOST_TEST(
      error("cosine:length=20")
          .find("cosine: expected a share of the run from 0 to 1, Nsteps or Nepochs, found '20'") ==
      0U);
  BOOST_TEST(error("multi-step:at=0.5/x").find("multi-step: at: expected a share") == 0U);
  BOOST_TEST(error("cosine:by=month") == "cosine: by: expected step or epoch, found 'month'");
  BOOST_TEST(error("restarts:longer=0.5") == "restarts: longer must be at least 1, got 0.5");
  BOOST_TEST(error("cosine+").find("expected a schedule") == 0U);
  BOOST_TEST(error("constant:final=1").find("constant: expected an option") == 0U);
  BOOST_TEST(named_schedule("warm-up:length=500steps+cosine").counts_steps);
  BOOST_TEST(named_schedule("multi-step:at=9steps").counts_steps);
  BOOST_TEST(!named_schedule("warm-up:length=2epochs+cosine").counts_steps);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
