#include <limpid/layers/dropout.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <utility>

namespace {

using limpid::Dropout;

BOOST_AUTO_TEST_SUITE(dropout)

BOOST_AUTO_TEST_CASE(zeroes_the_given_share_and_keeps_the_mean) {
  torch::manual_seed(0);
  for (const double p : {0.1, 0.5, 0.9}) {
    const auto output = Dropout { p } -> forward(torch::ones({4, 25000}));
    BOOST_TEST((output == 0).to(at::kDouble).mean().item<double>() == p,
               boost::test_tools::tolerance(0.05));
    BOOST_TEST(output.max().item<float>() == static_cast<float>(1 / (1 - p)));
    BOOST_TEST(output.mean().item<double>() == 1, boost::test_tools::tolerance(0.05));
    // Neighbours know nothing of each other.
    const auto zeros = (output == 0).to(at::kDouble) - p;
    for (const int far : {1, 2, 3}) {
      const auto both = zeros.slice(1, far) * zeros.slice(1, 0, -far);
      BOOST_TEST(std::abs(both.mean().item<double>()) < 0.02 * p * (1 - p) + 0.002);
    }
  }
}

BOOST_AUTO_TEST_CASE(follows_the_generator_and_not_the_number_of_threads) {
  Dropout layer{0.5};
  const auto input = torch::ones({3, 50001});
  const auto drawn = [&](int threads) {
    torch::manual_seed(7);
    at::set_num_threads(threads);
    auto first = layer->forward(input);
    return std::pair{first, layer->forward(input)};
  };
  const auto before = at::get_num_threads();
  const auto one = drawn(1), two = drawn(2);
  at::set_num_threads(before);
  BOOST_TEST(torch::equal(one.first, two.first));
  BOOST_TEST(torch::equal(one.second, two.second));
  BOOST_TEST(!torch::equal(one.first, one.second));
}

BOOST_AUTO_TEST_CASE(gradients_pass_where_numbers_passed_in_any_type) {
  Dropout layer{0.25};
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const auto input = torch::ones({2, 3, 5, 7}, type).requires_grad_();
    const auto output = layer->forward(input);
    BOOST_TEST((output.scalar_type() == type));
    output.sum().backward();
    BOOST_TEST(torch::equal(input.grad(), output.detach()));
  }
}

BOOST_AUTO_TEST_CASE(has_second_derivatives_and_keeps_no_map) {
  Dropout layer{0.5};
  const auto input = torch::rand({2, 3, 5, 7}).requires_grad_();
  const auto map = input * 1;
  const auto uses = map.storage().use_count();
  const auto output = layer->forward(map);
  BOOST_TEST(map.storage().use_count() == uses);
  const auto slope = torch::autograd::grad({output.pow(3).sum()}, {input}, {}, true, true)[0];
  // The factor of each number is 0 or 2: d/dx of 3 (2 x)^2 2 = 48 x.
  const auto second = torch::autograd::grad({slope.sum()}, {input})[0];
  BOOST_TEST(torch::allclose(second, (output != 0).to(at::kFloat) * input.detach() * 48));
}

BOOST_AUTO_TEST_CASE(any_order_of_the_numbers_in_memory_is_taken) {
  Dropout layer{0.5};
  for (const auto& input : {torch::ones({2, 3, 8, 9}).contiguous(at::MemoryFormat::ChannelsLast),
                            torch::ones({9, 8}).t(), torch::ones({4, 5}, at::kDouble)}) {
    torch::manual_seed(1);
    const auto output = layer->forward(input);
    torch::manual_seed(1);
    const auto plain = layer->forward(torch::ones(input.sizes()));
    BOOST_TEST(torch::equal(output.to(at::kFloat).contiguous(), plain));
  }
}

BOOST_AUTO_TEST_CASE(changes_nothing_outside_of_training_or_with_no_probability) {
  const auto input = torch::rand({2, 3});
  Dropout layer{0.5};
  layer->eval();
  BOOST_TEST(torch::equal(layer->forward(input), input));
  BOOST_TEST(torch::equal(
      Dropout { 0.0 } -> forward(input), input));
  BOOST_CHECK_THROW(Dropout{1.0}, c10::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
