#include <limpid/core/ranges.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::to_signed, limpid::to_unit;

BOOST_AUTO_TEST_SUITE(ranges)

BOOST_AUTO_TEST_CASE(the_ends_and_the_middle_are_exact) {
  const auto unit = torch::tensor({0.0f, 0.5f, 1.0f}), sign = torch::tensor({-1.0f, 0.0f, 1.0f});
  BOOST_TEST(torch::equal(to_signed(unit), sign));
  BOOST_TEST(torch::equal(to_unit(sign), unit));
}

BOOST_AUTO_TEST_CASE(all_values_of_8_bits_come_back) {
  const auto bytes = torch::arange(256);
  const auto unit = bytes.to(torch::kFloat) / 255;
  const auto back = to_unit(to_signed(unit));
  BOOST_TEST(torch::allclose(back, unit, 0, 1e-7));
  BOOST_TEST(torch::equal((back * 255).round().to(torch::kLong), bytes));
}

BOOST_AUTO_TEST_CASE(values_outside_are_not_clamped) {
  const auto outside = torch::tensor({-1.0f, 2.0f});
  BOOST_TEST(torch::equal(to_signed(outside), torch::tensor({-3.0f, 3.0f})));
  BOOST_TEST(torch::equal(to_unit(to_signed(outside)), outside));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
