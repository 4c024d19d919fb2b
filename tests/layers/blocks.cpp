#include <limpid/layers/naf_block.hpp>
#include <limpid/layers/no_norm.hpp>
#include <limpid/layers/residual_block.hpp>
#include <limpid/layers/resnet_block.hpp>
#include <limpid/layers/simple_gate.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid_test::throws_value_error;

/// What holds of every block that keeps its input's shape.
template <limpid::ImageModule Block>
void check_block(Block block) {
  torch::manual_seed(0);
  block->eval();
  limpid_test::disturb(*block);
  const auto input = torch::randn({2, 4, 6, 5});
  const auto output = [&](Block& b) { return b->forward(input); };
  BOOST_TEST(output(block).sizes() == input.sizes());
  limpid_test::check_gradients_reach(*block,
                                     [&] { return limpid_test::mixed_sum({output(block)}); });
  limpid_test::check_bfloat16(block, output);
  limpid_test::check_clone_owns_weights(block, output);
}

BOOST_AUTO_TEST_SUITE(blocks)

BOOST_AUTO_TEST_CASE(residual_block_keeps_the_shape) { check_block(limpid::ResidualBlock{4}); }

BOOST_AUTO_TEST_CASE(resnet_block_keeps_the_shape) { check_block(limpid::ResNetBlock{4, 0.5}); }

BOOST_AUTO_TEST_CASE(naf_block_keeps_the_shape) {
  check_block(limpid::NAFBlock{4});
  check_block(limpid::NAFBlock{4, 1, 2});
}

BOOST_AUTO_TEST_CASE(naf_block_starts_as_the_identity) {
  limpid::NAFBlock block{4};
  const auto input = torch::randn({1, 4, 8, 8});
  BOOST_TEST(torch::equal(block->forward(input), input));
}

BOOST_AUTO_TEST_CASE(simple_gate_multiplies_the_halves) {
  const auto input = torch::tensor({2.0f, 3.0f, 5.0f, 7.0f}).view({1, 4, 1, 1});
  const auto expected = torch::tensor({10.0f, 21.0f}).view({1, 2, 1, 1});
  BOOST_TEST(torch::equal(limpid::simple_gate(input), expected));
  BOOST_TEST(throws_value_error(
      [] {
        limpid::simple_gate(torch::zeros({1, 3, 1, 1}));
      },
      "simple_gate: expected (N, 2 C, H, W), got [1, 3, 1, 1]"));
}

BOOST_AUTO_TEST_CASE(no_norm_returns_its_input) {
  limpid::NoNorm norm{3};
  const auto input = torch::randn({1, 3, 2, 2});
  BOOST_TEST(norm->forward(input).is_same(input));
}

BOOST_AUTO_TEST_CASE(blocks_name_a_wrong_channel_count) {
  BOOST_TEST(throws_value_error([] { limpid::ResidualBlock{0}; },
                                "ResidualBlock: channels must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { limpid::ResNetBlock{0}; },
                                "ResNetBlock: channels must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { limpid::NAFBlock{0}; },
                                "NAFBlock: channels must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
