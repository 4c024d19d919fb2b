#include <limpid/decoders/gunet.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::GUNetDecoder, limpid::GUNetDecoderOptions;
using limpid::GUNetEncoder, limpid::GUNetEncoderOptions;
using limpid_test::throws_value_error;

using Dehaze = GUNetDecoder<"dehaze">;

static_assert(limpid::DecoderFor<Dehaze, GUNetEncoder>);
static_assert(limpid::ModuleOf<Dehaze>::skip == limpid::GlobalSkip::plain);

BOOST_AUTO_TEST_SUITE(gunet_decoder)

BOOST_AUTO_TEST_CASE(does_what_every_decoder_does) {
  torch::manual_seed(1);  // so small a fusion may be born with all of its four ReLUs at rest
  const GUNetEncoderOptions options{.width = 4, .blocks = {1, 0, 1}, .kernel = 3};
  limpid_test::check_decoder(GUNetEncoder{options}, Dehaze{GUNetDecoderOptions::matching(options)});
}

BOOST_AUTO_TEST_CASE(refuses_features_of_another_shape) {
  const GUNetEncoderOptions options{.width = 4, .blocks = {1, 1}};
  auto features = GUNetEncoder { options } -> forward(torch::zeros({1, 3, 8, 8}));
  const auto matching = GUNetDecoderOptions::matching(options);
  auto wide = matching, deep = matching;
  wide.width = 8;
  deep.blocks = {1, 1};
  BOOST_TEST(throws_value_error(
      [&] {
        Dehaze { deep } -> forward(features);
      },
      "GUNetDecoder: expected skips of 2 levels, got 1"));
  BOOST_TEST(throws_value_error(
      [&] {
        Dehaze { wide } -> forward(features);
      },
      "GUNetDecoder: expected bottom (N, 16, H, W), got [1, 8, 4, 4]"));
  features.skips[0] = features.bottom;
  BOOST_TEST(throws_value_error(
      [&] {
        Dehaze { matching } -> forward(features);
      },
      "GUNetDecoder: expected skip (N, 4, H, W), got [1, 8, 4, 4]"));
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  BOOST_TEST(throws_value_error([] { Dehaze{GUNetDecoderOptions{.width = 0}}; },
                                "GUNetDecoder: width must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { Dehaze{GUNetDecoderOptions{.blocks = {}}}; },
                                "GUNetDecoder: expected 1 to 8 levels of blocks, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
