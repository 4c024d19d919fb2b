#include <limpid/core/check.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>
#include <string>

namespace {

using namespace limpid::detail;

BOOST_AUTO_TEST_SUITE(checks)

BOOST_AUTO_TEST_CASE(numbers_in_range_pass) {
  check_at_least("a", 1, 1);
  check_positive("a", std::numeric_limits<double>::min());
  check_not_negative("a", 0);
  check_image("a", torch::zeros({1, 3, 1, 1}));
  check_image("a", torch::zeros({2, 6, 8, 9}), 6, 8);
  check_same_shape("a", torch::zeros({2, 3}), torch::zeros({2, 3}));
}

BOOST_AUTO_TEST_CASE(numbers_out_of_range_are_named_with_their_value) {
  BOOST_TEST(limpid_test::value_error_of([] { check_at_least("PatchGAN: width", 0, 1); }) ==
             "PatchGAN: width must be at least 1, got 0");
  BOOST_TEST(limpid_test::value_error_of([] { check_positive("rate", 0); }) ==
             "rate must be positive, got 0");
  BOOST_TEST(limpid_test::value_error_of([] { check_positive("rate", -0.5); }) ==
             "rate must be positive, got -0.5");
  BOOST_TEST(limpid_test::value_error_of([] { check_not_negative("weight", -1); }) ==
             "weight must not be negative, got -1");
}

BOOST_AUTO_TEST_CASE(what_is_no_number_is_refused) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(limpid_test::value_error_of([&] { check_positive("rate", nan); }) ==
             "rate must be positive, got nan");
  BOOST_TEST(limpid_test::value_error_of([&] { check_not_negative("weight", nan); }) ==
             "weight must not be negative, got nan");
}

BOOST_AUTO_TEST_CASE(images_of_another_shape_are_named_with_it) {
  BOOST_TEST(limpid_test::value_error_of([] {
               check_image("L1", torch::zeros({3, 8, 8}));
             }) == "L1: expected image (N, 3, H, W), got [3, 8, 8]");
  BOOST_TEST(limpid_test::value_error_of([] {
               check_image("PatchGAN", torch::zeros({1, 3, 8, 8}), 6);
             }) == "PatchGAN: expected image (N, 6, H, W), got [1, 3, 8, 8]");
  BOOST_TEST(limpid_test::value_error_of([] {
               check_image("VGG19", torch::zeros({1, 3, 8, 7}), 3, 8);
             }) == "VGG19: expected sides of at least 8 pixels, got [1, 3, 8, 7]");
  BOOST_TEST(limpid_test::value_error_of([] {
               check_image("L1", torch::zeros({1, 3, 0, 7}));
             }) == "L1: expected sides of at least 1 pixels, got [1, 3, 0, 7]");
}

BOOST_AUTO_TEST_CASE(images_of_two_shapes_are_named_with_both) {
  BOOST_TEST(limpid_test::value_error_of([] {
               check_same_shape("L1", torch::zeros({1, 3, 8, 8}), torch::zeros({1, 3, 8, 9}));
             }) == "L1: restored [1, 3, 8, 8] and target [1, 3, 8, 9] differ in shape");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
