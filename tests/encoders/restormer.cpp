#include <limpid/encoders/restormer.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::RestormerEncoder, limpid::RestormerEncoderOptions;
using limpid_test::throws_value_error;

static_assert(limpid::Encoder<RestormerEncoder>);

RestormerEncoderOptions small() { return {.width = 4, .blocks = {1, 0, 2}, .heads = {1, 2, 4}}; }

BOOST_AUTO_TEST_SUITE(restormer_encoder)

BOOST_AUTO_TEST_CASE(does_what_every_encoder_does) {
  limpid_test::check_encoder(RestormerEncoder{small()}, "RestormerEncoder");
}

BOOST_AUTO_TEST_CASE(gives_a_skip_for_each_level_but_the_last_and_the_bottom) {
  RestormerEncoder encoder{small()};
  const auto features = encoder->forward(torch::zeros({2, 3, 8, 12}));
  BOOST_TEST(features.bottom.sizes() == torch::IntArrayRef({2, 16, 2, 3}));
  BOOST_TEST(features.skips.size() == 2u);
  BOOST_TEST(features.skips[0].sizes() == torch::IntArrayRef({2, 4, 8, 12}));
  BOOST_TEST(features.skips[1].sizes() == torch::IntArrayRef({2, 8, 4, 6}));
}

BOOST_AUTO_TEST_CASE(takes_what_the_published_network_takes) {
  const RestormerEncoderOptions published;
  BOOST_TEST((published.range == limpid::ValueRange::unit_range));
  RestormerEncoder encoder{RestormerEncoderOptions{.width = 8, .blocks = {1, 1, 1, 1}}};
  BOOST_TEST(encoder->padding().multiple == 8);
  BOOST_TEST((encoder->padding().mode == limpid::PaddingMode::reflect));
  BOOST_TEST((encoder->range() == limpid::ValueRange::unit_range));
}

BOOST_AUTO_TEST_CASE(without_any_bias_black_stays_black) {
  auto options = small();
  options.norm = limpid::LayerNormKind::bias_free;
  RestormerEncoder encoder{options};
  for (const auto& item : encoder->named_parameters()) {
    BOOST_TEST(item.key().find("bias") == std::string::npos, item.key());
  }
  const auto features = encoder->forward(torch::zeros({1, 3, 8, 8}));
  for (const auto& map : features.tensors()) BOOST_TEST(map.abs().max().item<float>() == 0);
  const nlohmann::json json = options;
  BOOST_TEST((json.at("norm") == "bias-free"));
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  const auto error = [](RestormerEncoderOptions options, const std::string& text) {
    BOOST_TEST(throws_value_error([&] { RestormerEncoder{options}; }, text));
  };
  error({.width = 0}, "RestormerEncoder: width must be at least 2, got 0");
  error({.blocks = {1}, .heads = {1}}, "RestormerEncoder: expected 2 to 8 levels of blocks, got 1");
  error({.blocks = {1, 1}}, "RestormerEncoder: expected heads for each of 2 levels, got 4");
  error({.blocks = {1, -1}, .heads = {1, 1}},
        "RestormerEncoder: blocks must be at least 0, got -1");
  error({.width = 4, .blocks = {1, 1}, .heads = {3, 1}},
        "ChannelAttention: expected heads that divide the channels, got 3 heads for 4 channels");
  error({.width = 3, .blocks = {1, 1}, .heads = {1, 1}},
        "ShuffleDown: expected even channels, got 3");
  auto json = nlohmann::json(small());
  json["norm"] = "none";
  BOOST_TEST(
      throws_value_error([&] { json.get<RestormerEncoderOptions>(); },
                         "LayerNormKind: expected \"with-bias\" or \"bias-free\", got \"none\""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
