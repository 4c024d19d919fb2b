#include <limpid/layers/bias_free_layer_norm2d.hpp>
#include <limpid/layers/channel_attention.hpp>
#include <limpid/layers/context_gate.hpp>
#include <limpid/layers/gated_conv_block.hpp>
#include <limpid/layers/naf_block.hpp>
#include <limpid/layers/no_norm.hpp>
#include <limpid/layers/residual_block.hpp>
#include <limpid/layers/resnet_block.hpp>
#include <limpid/layers/restormer_block.hpp>
#include <limpid/layers/shuffle_resample.hpp>
#include <limpid/layers/simple_gate.hpp>
#include <limpid/layers/sk_fusion.hpp>
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

BOOST_AUTO_TEST_CASE(restormer_block_keeps_the_shape) {
  check_block(limpid::RestormerBlock{4, 2});
  check_block(limpid::RestormerBlock{
      4, 1, limpid::RestormerBlockOptions{.norm = limpid::LayerNormKind::bias_free}});
}

BOOST_AUTO_TEST_CASE(channel_attention_does_not_mix_heads_nor_care_how_long_queries_are) {
  torch::manual_seed(3);
  torch::NoGradGuard no_grad;
  limpid::ChannelAttention attention{4, 2};
  auto parameters = attention->named_parameters();
  // Queries, keys and values are the input, and the output is what attention gives.
  parameters["qkv.weight"].copy_(torch::eye(4).repeat({3, 1}).view({12, 4, 1, 1}));
  parameters["qkv_dwconv.weight"].zero_().select(2, 1).select(2, 1).fill_(1);
  parameters["project_out.weight"].copy_(torch::eye(4).view({4, 4, 1, 1}));
  const auto input = torch::randn({1, 4, 5, 6});
  const auto map = input.view({2, 2, 30});
  const auto length = map.norm(2, {2}, true);
  const auto cosine = torch::matmul(map / length, (map / length).transpose(1, 2));
  const auto expected = torch::matmul(cosine.softmax(-1), map).view_as(input);
  BOOST_TEST((attention->forward(input) - expected).abs().max().item<float>() < 1e-6);
  parameters["qkv.weight"].narrow(0, 0, 8).mul_(100);
  BOOST_TEST((attention->forward(input) - expected).abs().max().item<float>() < 1e-5);
  BOOST_TEST(attention->forward(torch::zeros_like(input)).abs().max().item<float>() == 0);
}

BOOST_AUTO_TEST_CASE(a_bias_free_norm_does_not_see_how_bright_a_picture_is) {
  limpid::BiasFreeLayerNorm2d norm{6};
  const auto input = torch::rand({2, 6, 3, 4}) + 0.5;
  const auto once = norm->forward(input);
  BOOST_TEST((norm->forward(7 * input) - once).abs().max().item<float>() < 1e-2);
  BOOST_TEST((once.var(1, /*unbiased=*/false) - 1).abs().max().item<float>() < 1e-2);
  BOOST_TEST(once.mean(1).min().item<float>() > 0);
}

BOOST_AUTO_TEST_CASE(shuffled_maps_trade_sides_for_channels) {
  const auto map = torch::rand({2, 4, 6, 8});
  BOOST_TEST(limpid::ShuffleDown { 4 } -> forward(map).sizes() == torch::IntArrayRef({2, 8, 3, 4}));
  BOOST_TEST(limpid::ShuffleUp { 4 } -> forward(map).sizes() == torch::IntArrayRef({2, 2, 12, 16}));
}

BOOST_AUTO_TEST_CASE(gated_conv_block_keeps_the_shape) {
  check_block(limpid::GatedConvBlock{4});
  check_block(limpid::GatedConvBlock{
      4, limpid::GatedConvOptions{.kernel = 1, .norm = limpid::NormKind::none}});
}

BOOST_AUTO_TEST_CASE(a_deeper_network_begins_nearer_the_identity) {
  const auto input = torch::rand({1, 16, 8, 8});
  const auto moved = [&](std::int64_t depth) {
    torch::manual_seed(2);
    limpid::GatedConvBlock block{16, limpid::GatedConvOptions{.network_depth = depth}};
    return (block->forward(input) - input).abs().mean().item<float>();
  };
  BOOST_TEST(moved(4) < 0.1 * input.mean().item<float>());
  BOOST_TEST(moved(128) < 0.3 * moved(4));
}

BOOST_AUTO_TEST_CASE(sk_fusion_is_a_mean_of_both_maps_for_each_channel) {
  torch::manual_seed(1);
  limpid::SKFusion fusion{8};
  limpid_test::disturb(*fusion, 0.5);
  const auto one = torch::rand({2, 8, 5, 4}), other = one + torch::rand_like(one);
  const auto place = (fusion->forward(one, other) - one) / (other - one);
  BOOST_TEST(place.min().item<float>() > 0);
  BOOST_TEST(place.max().item<float>() < 1);
  const auto spread = place.amax({2, 3}) - place.amin({2, 3});
  BOOST_TEST(spread.max().item<float>() < 1e-2);
  BOOST_TEST((fusion->forward(one, one) - one).abs().max().item<float>() < 1e-6);
  BOOST_TEST(throws_value_error(
      [&] { fusion->forward(one, one.narrow(2, 0, 4)); },
      "SKFusion: expected maps of one shape, got [2, 8, 5, 4] and [2, 8, 4, 4]"));
}

BOOST_AUTO_TEST_CASE(a_context_gate_changes_channels_by_the_means_of_the_whole_map) {
  torch::manual_seed(1);
  limpid::ContextGate gate{6, 4};
  const auto map = torch::rand({2, 6, 5, 4});
  BOOST_TEST(torch::equal(gate->forward(map), map));  // nothing at first
  limpid_test::disturb(*gate, 0.5);
  const auto weights = gate->named_parameters();
  const auto linear = [&](const at::Tensor& in, const std::string& layer) {
    return torch::linear(in, weights[layer + ".weight"].flatten(1), weights[layer + ".bias"]);
  };
  const auto change = linear(linear(map.mean({2, 3}), "mlp.1").relu(), "mlp.3");
  const auto scale = change.narrow(1, 0, 6).view({2, 6, 1, 1});
  const auto shift = change.narrow(1, 6, 6).view({2, 6, 1, 1});
  BOOST_TEST(torch::allclose(gate->forward(map), map * (1 + scale) + shift, 1e-5, 1e-6));
  BOOST_TEST(throws_value_error(
      [] {
        limpid::ContextGate{6, 0};
      },
      "ContextGate: hidden must be at least 1, got 0"));
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
