#include <limpid/core/precision.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::detail::at_least_float;

BOOST_AUTO_TEST_SUITE(precision)

BOOST_AUTO_TEST_CASE(half_types_become_float_and_others_stay_as_they_are) {
  const auto values = torch::tensor({0.5f, -2.0f});
  for (const auto type : {torch::kHalf, torch::kBFloat16}) {
    const auto found = at_least_float(values.to(type));
    BOOST_TEST((found.scalar_type() == torch::kFloat));
    BOOST_TEST(torch::equal(found, values));
  }
  BOOST_TEST(at_least_float(values).is_same(values));
  const auto exact = values.to(torch::kDouble);
  BOOST_TEST(at_least_float(exact).is_same(exact));
}

BOOST_AUTO_TEST_CASE(gradients_come_back_in_the_half_type) {
  const auto values = torch::ones({2}, torch::kBFloat16).requires_grad_();
  at_least_float(values).square().sum().backward();
  BOOST_TEST((values.grad().scalar_type() == torch::kBFloat16));
  BOOST_TEST(torch::equal(values.grad(), torch::full({2}, 2, torch::kBFloat16)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
