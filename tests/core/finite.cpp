#include <limpid/core/finite.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <limits>

namespace {

using limpid::check_picture_finite, limpid_test::error_of;

BOOST_AUTO_TEST_SUITE(finite)

BOOST_AUTO_TEST_CASE(what_is_not_finite_is_counted) {
  auto values = torch::rand({1, 3, 4, 5});
  check_picture_finite("x", values);
  values[0][0][0][0] = std::numeric_limits<float>::quiet_NaN();
  values[0][1][0][0] = std::numeric_limits<float>::infinity();
  values[0][2][0][0] = -std::numeric_limits<float>::infinity();
  BOOST_TEST(error_of([&] { check_picture_finite("the picture", values); }) ==
             "the picture: 3 of 60 values are NaN or infinite");
}

BOOST_AUTO_TEST_CASE(large_values_are_finite_though_their_sum_is_not) {
  check_picture_finite("x", torch::full({100}, 3e38f));
  check_picture_finite("x", torch::zeros({0}));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
