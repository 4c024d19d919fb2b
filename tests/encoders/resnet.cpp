#include <limpid/encoders/resnet.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::ResNetEncoder, limpid::ResNetEncoderOptions;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

static_assert(limpid::Encoder<ResNetEncoder>);
static_assert(!limpid::Decoder<ResNetEncoder>, "an encoder names no task");

BOOST_AUTO_TEST_SUITE(resnet_encoder)

BOOST_AUTO_TEST_CASE(does_what_every_encoder_does) {
  limpid_test::check_encoder(ResNetEncoder{ResNetEncoderOptions{.width = 4, .blocks = 2}},
                             "ResNetEncoder");
}

BOOST_AUTO_TEST_CASE(gives_the_published_features) {
  if (!Fixture::available("resnet_generator")) return;
  const Fixture fixture{"resnet_generator"};
  ResNetEncoder encoder{
      ResNetEncoderOptions{.width = fixture.number("width"), .blocks = fixture.number("blocks")}};
  fixture.fill(*encoder, "encoder");
  encoder->eval();
  const auto features = encoder->forward(fixture.input("degraded", {2, 3, 48, 64}));
  BOOST_TEST(relative_difference(features, fixture.at("features")) <
             limpid_test::kForwardAgreement);
}

BOOST_AUTO_TEST_CASE(has_four_times_its_width_at_a_quarter_of_the_sides) {
  ResNetEncoder encoder{ResNetEncoderOptions{.width = 4, .blocks = 1}};
  const auto features = encoder->forward(torch::zeros({2, 3, 16, 24}));
  BOOST_TEST(features.sizes() == torch::IntArrayRef({2, 16, 4, 6}));
}

BOOST_AUTO_TEST_CASE(drops_out_while_training_only) {
  torch::manual_seed(0);
  ResNetEncoder encoder{ResNetEncoderOptions{.width = 4, .blocks = 1}};
  const auto image = torch::rand({1, 3, 16, 16});
  BOOST_TEST(!torch::equal(encoder->forward(image), encoder->forward(image)));
  encoder->eval();
  BOOST_TEST(torch::equal(encoder->forward(image), encoder->forward(image)));
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  BOOST_TEST(throws_value_error([] { ResNetEncoder{ResNetEncoderOptions{.width = 0}}; },
                                "ResNetEncoder: width must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { ResNetEncoder{ResNetEncoderOptions{.blocks = 0}}; },
                                "ResNetEncoder: blocks must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { ResNetEncoder{ResNetEncoderOptions{.dropout = 1}}; },
                                "ResNetBlock: dropout must be in [0, 1), got 1"));
}

BOOST_AUTO_TEST_CASE(says_when_an_image_is_too_small) {
  ResNetEncoder encoder{ResNetEncoderOptions{.width = 4, .blocks = 1}};
  BOOST_TEST(throws_value_error(
      [&] {
        encoder->forward(torch::zeros({1, 3, 4, 8}));
      },
      "ResNetEncoder: expected sides of at least 8 pixels, got [1, 3, 4, 8]"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
