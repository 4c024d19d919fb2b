#include <limpid/decoders/pixel_unet.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::PixelUNetDecoder, limpid::PixelUNetDecoderOptions;
using limpid::PixelUNetEncoder, limpid::PixelUNetEncoderOptions;
using limpid_test::throws_value_error;

using Deblur = PixelUNetDecoder<"deblur">;

static_assert(limpid::DecoderFor<Deblur, PixelUNetEncoder>);

BOOST_AUTO_TEST_SUITE(pixel_unet_decoder)

BOOST_AUTO_TEST_CASE(does_what_every_decoder_does) {
  limpid_test::check_decoder(PixelUNetEncoder{PixelUNetEncoderOptions{.width = 4}},
                             Deblur{PixelUNetDecoderOptions{.width = 4, .blocks = {1, 0, 1}}});
}

BOOST_AUTO_TEST_CASE(starts_from_the_degraded_image) {
  PixelUNetEncoder encoder{PixelUNetEncoderOptions{.width = 4}};
  Deblur decoder{PixelUNetDecoderOptions{.width = 4}};
  const auto degraded = torch::rand({1, 3, 21, 30}) * 2 - 1;
  BOOST_TEST(torch::equal(limpid_test::restore(encoder, decoder, degraded), degraded));
}

BOOST_AUTO_TEST_CASE(learns_to_brighten_in_a_few_steps) {
  torch::manual_seed(0);
  PixelUNetEncoder encoder{PixelUNetEncoderOptions{.width = 8}};
  PixelUNetDecoder<"brighten"> decoder{PixelUNetDecoderOptions{.width = 8}};
  auto parameters = encoder->parameters();
  for (const auto& parameter : decoder->parameters()) parameters.push_back(parameter);
  torch::optim::Adam optimizer{parameters, torch::optim::AdamOptions(2e-3)};
  const auto target = torch::rand({2, 3, 32, 32}) * 2 - 1;
  const auto degraded = 0.5 * target - 0.4;
  const auto loss = [&] {
    return torch::mse_loss(limpid_test::restore(encoder, decoder, degraded), target);
  };
  const auto before = loss().item<double>();
  for (int step = 0; step < 60; ++step) {
    optimizer.zero_grad();
    loss().backward();
    optimizer.step();
  }
  BOOST_TEST(loss().item<double>() < 0.5 * before);
}

BOOST_AUTO_TEST_CASE(names_the_map_that_does_not_fit) {
  Deblur decoder{PixelUNetDecoderOptions{.width = 4}};
  const limpid::PixelUNetFeatures features{.fine = torch::zeros({1, 4, 8, 8}),
                                           .middle = torch::zeros({1, 4, 4, 4}),
                                           .coarse = torch::zeros({1, 16, 2, 2})};
  BOOST_TEST(
      throws_value_error([&] { decoder->forward(features); },
                         "PixelUNetDecoder: expected middle (N, 8, H, W), got [1, 4, 4, 4]"));
  BOOST_TEST(throws_value_error([] { Deblur{PixelUNetDecoderOptions{.width = 0}}; },
                                "PixelUNetDecoder: width must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
