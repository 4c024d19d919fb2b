#include <limpid/training/step_losses.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

namespace {

using limpid::detail::StepLosses;

std::string error_of(double value) {
  StepLosses losses{41};
  return limpid_test::error_of([&] {
    losses.add("deblur", "critic", torch::tensor(0.5f));
    losses.add("derain", "adversarial", torch::tensor(value));
  });
}

BOOST_AUTO_TEST_SUITE(step_losses)

BOOST_AUTO_TEST_CASE(values_come_back_in_order_with_their_names) {
  StepLosses losses{0};
  losses.add("deblur", "content", torch::tensor(0.25f).requires_grad_());
  losses.add("deblur", "total", torch::tensor({0.5}, torch::kDouble));
  losses.add("derain", "content", torch::tensor(-2.0f).to(torch::kBFloat16));
  BOOST_TEST(losses.fetch(torch::tensor(1.5f)) == 1.5);
  const auto& values = losses.values();
  BOOST_REQUIRE(values.size() == 3U);
  BOOST_TEST(values[0].task == "deblur");
  BOOST_TEST(values[0].term == "content");
  BOOST_TEST(values[0].value == 0.25);
  BOOST_TEST(values[1].term == "total");
  BOOST_TEST(values[1].value == 0.5);
  BOOST_TEST(values[2].task == "derain");
  BOOST_TEST(values[2].value == -2);
}

BOOST_AUTO_TEST_CASE(no_losses_are_no_error) {
  StepLosses losses{0};
  BOOST_TEST(losses.fetch({}) == 0);
  BOOST_TEST(losses.values().empty());
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_not_finite_is_named) {
  StepLosses losses{3};
  losses.add("deblur", "content", torch::tensor(0.25f));
  BOOST_CHECK_EXCEPTION(
      losses.fetch(torch::tensor(std::numeric_limits<float>::quiet_NaN())), c10::Error,
      [](const auto& error) {
        return std::string{error.what_without_backtrace()} ==
               "training stopped: step 4: the gradient of the encoder and decoders has norm nan; "
               "the last checkpoint is from before this step";
      });
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite_is_named_at_once) {
  const auto text = [](const std::string& value) {
    return "training stopped: task 'derain', step 42: the adversarial loss is " + value +
           "; the last checkpoint is from before this step";
  };
  BOOST_TEST(error_of(std::numeric_limits<double>::quiet_NaN()) == text("nan"));
  BOOST_TEST(error_of(std::numeric_limits<double>::infinity()) == text("inf"));
  BOOST_TEST(error_of(-std::numeric_limits<double>::infinity()) == text("-inf"));
  BOOST_TEST(error_of(1e30) == "no error");
}

BOOST_AUTO_TEST_CASE(a_number_that_is_only_checked_is_not_reported) {
  StepLosses losses{6};
  losses.check("deblur", "the gradient of the critic has norm ", torch::tensor(2.0f));
  BOOST_TEST(losses.values().empty());
  BOOST_CHECK_EXCEPTION(
      losses.check("deblur", "the gradient of the critic has norm ",
                   torch::tensor(std::numeric_limits<float>::infinity())),
      c10::Error, [](const auto& error) {
        return std::string{error.what_without_backtrace()} ==
               "training stopped: task 'deblur', step 7: the gradient of the critic has norm inf; "
               "the last checkpoint is from before this step";
      });
}

BOOST_AUTO_TEST_CASE(terms_of_one_name_keep_apart) {
  limpid::detail::TermNames names{{"content", "total"}};
  BOOST_TEST(names("l1") == "l1");
  BOOST_TEST(names("l1") == "l1_2");
  BOOST_TEST(names("perceptual") == "perceptual");
  BOOST_TEST(names("l1") == "l1_3");
  BOOST_TEST(names("total") == "total_2");
  limpid::detail::TermNames awkward;
  BOOST_TEST(awkward("a_2") == "a_2");
  BOOST_TEST(awkward("a") == "a");
  const auto second = awkward("a");
  BOOST_TEST(second != "a");
  BOOST_TEST(second != "a_2");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
