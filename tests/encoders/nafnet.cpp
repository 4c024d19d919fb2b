#include <limpid/encoders/nafnet.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::NAFNetEncoder, limpid::NAFNetEncoderOptions;
using limpid_test::throws_value_error;

static_assert(limpid::Encoder<NAFNetEncoder>);

const NAFNetEncoderOptions kSmall{.width = 4, .blocks = {1, 0, 2}, .middle_blocks = 1};

BOOST_AUTO_TEST_SUITE(nafnet_encoder)

BOOST_AUTO_TEST_CASE(does_what_every_encoder_does) {
  limpid_test::check_encoder(NAFNetEncoder{kSmall}, "NAFNetEncoder");
}

BOOST_AUTO_TEST_CASE(gives_one_skip_per_level_and_the_bottom) {
  NAFNetEncoder encoder{kSmall};
  const auto features = encoder->forward(torch::zeros({2, 3, 16, 24}));
  BOOST_TEST(features.bottom.sizes() == torch::IntArrayRef({2, 32, 2, 3}));
  BOOST_TEST(features.skips.size() == 3u);
  BOOST_TEST(features.skips[0].sizes() == torch::IntArrayRef({2, 4, 16, 24}));
  BOOST_TEST(features.skips[2].sizes() == torch::IntArrayRef({2, 16, 4, 6}));
  BOOST_TEST(features.tensors().size() == 4u);
}

BOOST_AUTO_TEST_CASE(pads_as_its_options_say) {
  BOOST_TEST((NAFNetEncoder { kSmall } -> padding().mode == limpid::PaddingMode::reflect));
  auto published = kSmall;
  published.padding = limpid::PaddingMode::zeros;
  NAFNetEncoder encoder{published};
  BOOST_TEST((encoder->padding().mode == limpid::PaddingMode::zeros));
  BOOST_TEST(encoder->padding().multiple == 8);
  limpid_test::check_options(encoder);
  nlohmann::json json = published;
  BOOST_TEST((json.at("padding") == "zeros"));
  json["padding"] = "wrap";
  BOOST_TEST(throws_value_error([&] { json.get<NAFNetEncoderOptions>(); },
                                "PaddingMode: expected \"reflect\" or \"zeros\", got \"wrap\""));
}

BOOST_AUTO_TEST_CASE(sees_no_further_than_its_windows_with_local_pooling) {
  torch::manual_seed(0);
  NAFNetEncoder encoder{NAFNetEncoderOptions{.width = 4, .blocks = {1}, .middle_blocks = 0}};
  limpid_test::disturb(*encoder);
  auto image = torch::rand({1, 3, 4, 64}, torch::requires_grad());
  const auto furthest_column_seen = [&] {
    image.mutable_grad() = at::Tensor{};
    encoder->forward(image).skips[0].select(3, 0).sum().backward();
    return image.grad()[0].abs().sum(0).sum(0).nonzero().max().item<std::int64_t>();
  };
  BOOST_TEST(furthest_column_seen() == 63);
  encoder->set_local_train_size(8);
  BOOST_TEST(encoder->options().local_train_size == 8);
  BOOST_TEST(furthest_column_seen() == 13);  // a window of 12 pixels and two 3x3 convolutions
  auto copy = limpid::detail::deep_copy(encoder);
  BOOST_TEST(torch::equal(copy->forward(image).bottom, encoder->forward(image).bottom));
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  BOOST_TEST(throws_value_error([] { NAFNetEncoder{NAFNetEncoderOptions{.width = 0}}; },
                                "NAFNetEncoder: width must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { NAFNetEncoder{NAFNetEncoderOptions{.blocks = {}}}; },
                                "NAFNetEncoder: levels must be at least 1, got 0"));
  BOOST_TEST(throws_value_error(
      [] {
        NAFNetEncoder{NAFNetEncoderOptions{.blocks = {1, -1}}};
      },
      "NAFNetEncoder: blocks must be at least 0, got -1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
