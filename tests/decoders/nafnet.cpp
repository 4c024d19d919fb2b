#include <limpid/decoders/nafnet.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::NAFNetDecoder, limpid::NAFNetDecoderOptions;
using limpid::NAFNetEncoder, limpid::NAFNetEncoderOptions;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

using Deblur = NAFNetDecoder<"deblur">;

static_assert(limpid::DecoderFor<Deblur, NAFNetEncoder>);
static_assert(limpid::ModuleOf<Deblur>::skip == limpid::GlobalSkip::plain);

/// The pair of the fixture, with its weights.
struct Published {
  explicit Published(const Fixture& fixture) {
    fixture.fill(*encoder, "nafnet");
    fixture.fill(*decoder, "nafnet");
  }

  NAFNetEncoder encoder{NAFNetEncoderOptions{.width = 16,
                                             .blocks = {1, 1, 1, 2},
                                             .middle_blocks = 1,
                                             .padding = limpid::PaddingMode::zeros}};
  Deblur decoder{NAFNetDecoderOptions{.width = 16, .blocks = {1, 1, 1, 1}}};
};

BOOST_AUTO_TEST_SUITE(nafnet_decoder)

BOOST_AUTO_TEST_CASE(does_what_every_decoder_does) {
  limpid_test::check_decoder(
      NAFNetEncoder{NAFNetEncoderOptions{.width = 4, .blocks = {1, 1}, .middle_blocks = 1}},
      Deblur{NAFNetDecoderOptions{.width = 4, .blocks = {1, 0}}});
}

BOOST_AUTO_TEST_CASE(gives_the_published_image_and_gradients) {
  if (!Fixture::available("nafnet")) return;
  const Fixture fixture{"nafnet"};
  Published nafnet{fixture};
  const auto degraded = fixture.input("degraded", {1, 3, 64, 64});
  const auto restored = limpid_test::restore(nafnet.encoder, nafnet.decoder, degraded);
  BOOST_TEST(relative_difference(restored, fixture.at("restored")) <
             limpid_test::kForwardAgreement);
  (restored * fixture.input("probe", {1, 3, 64, 64})).sum().backward();
  for (const std::string name : {"intro.weight", "middle_blks.0.sca.1.weight"}) {
    const auto gradient = nafnet.encoder->named_parameters()[name].grad();
    BOOST_TEST(relative_difference(gradient, fixture.at("grad.nafnet." + name)) <
               limpid_test::kGradientAgreement);
  }
}

BOOST_AUTO_TEST_CASE(gives_the_published_image_of_another_size) {
  if (!Fixture::available("nafnet")) return;
  const Fixture fixture{"nafnet"};
  Published nafnet{fixture};
  torch::NoGradGuard no_grad;
  const auto restored = limpid_test::restore(nafnet.encoder, nafnet.decoder,
                                             fixture.input("degraded", {1, 3, 50, 60}));
  BOOST_TEST(relative_difference(restored, fixture.at("restored.50x60")) <
             limpid_test::kForwardAgreement);
}

BOOST_AUTO_TEST_CASE(gives_the_published_image_with_local_pooling) {
  if (!Fixture::available("nafnet")) return;
  const Fixture fixture{"nafnet"};
  Published nafnet{fixture};
  nafnet.encoder->set_local_train_size(32);
  nafnet.decoder->set_local_train_size(32);
  torch::NoGradGuard no_grad;
  const auto restored = limpid_test::restore(nafnet.encoder, nafnet.decoder,
                                             fixture.input("degraded", {1, 3, 64, 64}));
  BOOST_TEST(relative_difference(restored, fixture.at("restored.local")) <
             limpid_test::kForwardAgreement);
}

BOOST_AUTO_TEST_CASE(refuses_features_of_another_shape) {
  NAFNetEncoder encoder{NAFNetEncoderOptions{.width = 4, .blocks = {1, 1}, .middle_blocks = 1}};
  auto features = encoder->forward(torch::zeros({1, 3, 16, 16}));
  Deblur deeper{NAFNetDecoderOptions{.width = 4, .blocks = {1, 1, 1}}};
  BOOST_TEST(throws_value_error([&] { deeper->forward(features); },
                                "NAFNetDecoder: expected skips of 3 levels, got 2"));
  Deblur wider{NAFNetDecoderOptions{.width = 8, .blocks = {1, 1}}};
  BOOST_TEST(throws_value_error([&] { wider->forward(features); },
                                "NAFNetDecoder: expected bottom (N, 32, H, W), got [1, 16, 4, 4]"));
  Deblur decoder{NAFNetDecoderOptions{.width = 4, .blocks = {1, 1}}};
  std::swap(features.skips[0], features.skips[1]);
  BOOST_TEST(throws_value_error([&] { decoder->forward(features); },
                                "NAFNetDecoder: expected skip (N, 8, H, W), got [1, 4, 16, 16]"));
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  BOOST_TEST(throws_value_error([] { Deblur{NAFNetDecoderOptions{.width = 0}}; },
                                "NAFNetDecoder: width must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { Deblur{NAFNetDecoderOptions{.blocks = {}}}; },
                                "NAFNetDecoder: levels must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
