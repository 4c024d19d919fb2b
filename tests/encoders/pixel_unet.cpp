#include <limpid/encoders/pixel_unet.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::PixelUNetEncoder, limpid::PixelUNetEncoderOptions;
using limpid_test::throws_value_error;

static_assert(limpid::Encoder<PixelUNetEncoder>);

BOOST_AUTO_TEST_SUITE(pixel_unet_encoder)

BOOST_AUTO_TEST_CASE(does_what_every_encoder_does) {
  limpid_test::check_encoder(
      PixelUNetEncoder{PixelUNetEncoderOptions{.width = 4, .blocks = {1, 0, 2}}},
      "PixelUNetEncoder");
  limpid_test::check_encoder(PixelUNetEncoder{PixelUNetEncoderOptions{.width = 4, .context = 3}},
                             "PixelUNetEncoder");
}

BOOST_AUTO_TEST_CASE(gives_maps_at_three_scales) {
  PixelUNetEncoder encoder{PixelUNetEncoderOptions{.width = 4}};
  const auto features = encoder->forward(torch::zeros({2, 3, 16, 24}));
  BOOST_TEST(features.fine.sizes() == torch::IntArrayRef({2, 4, 8, 12}));
  BOOST_TEST(features.middle.sizes() == torch::IntArrayRef({2, 8, 4, 6}));
  BOOST_TEST(features.coarse.sizes() == torch::IntArrayRef({2, 16, 2, 3}));
  BOOST_TEST(features.tensors().size() == 3u);
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  BOOST_TEST(throws_value_error([] { PixelUNetEncoder{PixelUNetEncoderOptions{.width = 0}}; },
                                "PixelUNetEncoder: width must be at least 1, got 0"));
  BOOST_TEST(throws_value_error(
      [] {
        PixelUNetEncoder{PixelUNetEncoderOptions{.blocks = {1, -1, 1}}};
      },
      "PixelUNetEncoder: blocks must be at least 0, got -1"));
  BOOST_TEST(throws_value_error([] { PixelUNetEncoder{PixelUNetEncoderOptions{.context = -1}}; },
                                "PixelUNetEncoder: context must be at least 0, got -1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
