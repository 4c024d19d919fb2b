#include <limpid/decoders/restormer.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace {

using limpid::LayerNormKind;
using limpid::RestormerDecoder, limpid::RestormerDecoderOptions;
using limpid::RestormerEncoder, limpid::RestormerEncoderOptions;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

using Deblur = RestormerDecoder<"deblur">;

static_assert(limpid::DecoderFor<Deblur, RestormerEncoder>);
static_assert(limpid::ModuleOf<Deblur>::skip == limpid::GlobalSkip::plain);

RestormerEncoderOptions two_levels() { return {.width = 4, .blocks = {1, 1}, .heads = {1, 2}}; }

/// The pair of the fixture, with its weights. The fixture's picture is given as it is.
struct Published {
  explicit Published(const Fixture& fixture, LayerNormKind norm = LayerNormKind::with_bias)
      : encoder{RestormerEncoderOptions{.width = 16,
                                        .blocks = {1, 1, 1, 2},
                                        .norm = norm,
                                        .range = limpid::ValueRange::signed_range}} {
    auto options = RestormerDecoderOptions::matching(encoder->options());
    options.refinement_blocks = 1;
    decoder = Deblur{options};
    fixture.fill(*encoder, "restormer");
    fixture.fill(*decoder, "restormer");
  }

  RestormerEncoder encoder;
  Deblur decoder{nullptr};
};

BOOST_AUTO_TEST_SUITE(restormer_decoder)

BOOST_AUTO_TEST_CASE(does_what_every_decoder_does) {
  RestormerEncoderOptions options{.width = 4, .blocks = {1, 0, 1}, .heads = {1, 2, 2}};
  options.norm = LayerNormKind::bias_free;
  auto matching = RestormerDecoderOptions::matching(options);
  matching.refinement_blocks = 1;
  BOOST_TEST(matching.blocks.size() == 2u);
  limpid_test::check_decoder(RestormerEncoder{options}, Deblur{matching});
}

BOOST_AUTO_TEST_CASE(gives_the_published_image_and_gradients) {
  if (!Fixture::available("restormer")) return;
  const Fixture fixture{"restormer"};
  Published restormer{fixture};
  const auto degraded = fixture.input("degraded", {1, 3, 64, 64});
  const auto restored = limpid_test::restore(restormer.encoder, restormer.decoder, degraded);
  const auto off = relative_difference(restored, fixture.at("restored"));
  BOOST_TEST_MESSAGE("restored " << off);
  BOOST_TEST(off < limpid_test::kForwardAgreement);
  (restored * fixture.input("probe", {1, 3, 64, 64})).sum().backward();
  for (const std::string name :
       {"patch_embed.proj.weight", "latent.0.attn.qkv.weight", "latent.0.attn.temperature"}) {
    const auto gradient = restormer.encoder->named_parameters()[name].grad();
    const auto difference = relative_difference(gradient, fixture.at("grad.restormer." + name));
    BOOST_TEST_MESSAGE(name << " " << difference);
    BOOST_TEST(difference < limpid_test::kGradientAgreement);
  }
}

BOOST_AUTO_TEST_CASE(gives_the_published_image_with_norms_without_bias) {
  if (!Fixture::available("restormer")) return;
  const Fixture fixture{"restormer"};
  Published restormer{fixture, LayerNormKind::bias_free};
  torch::NoGradGuard no_grad;
  const auto restored = limpid_test::restore(restormer.encoder, restormer.decoder,
                                             fixture.input("degraded", {1, 3, 64, 64}));
  BOOST_TEST(relative_difference(restored, fixture.at("restored.bias_free")) <
             limpid_test::kForwardAgreement);
}

BOOST_AUTO_TEST_CASE(refuses_features_of_another_shape) {
  RestormerEncoder encoder{two_levels()};
  auto features = encoder->forward(torch::zeros({1, 3, 8, 8}));
  const auto options = RestormerDecoderOptions::matching(two_levels());
  auto wide = options, deep = options;
  wide.width = 8;
  deep.blocks = deep.heads = {1, 1};
  BOOST_TEST(throws_value_error(
      [&] {
        Deblur { deep } -> forward(features);
      },
      "RestormerDecoder: expected skips of 2 levels, got 1"));
  BOOST_TEST(throws_value_error(
      [&] {
        Deblur { wide } -> forward(features);
      },
      "RestormerDecoder: expected bottom (N, 16, H, W), got [1, 8, 4, 4]"));
  features.skips[0] = features.bottom;
  BOOST_TEST(throws_value_error(
      [&] {
        Deblur { options } -> forward(features);
      },
      "RestormerDecoder: expected skip (N, 4, H, W), got [1, 8, 4, 4]"));
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  const auto error = [](RestormerDecoderOptions options, const std::string& text) {
    BOOST_TEST(throws_value_error([&] { Deblur{options}; }, text));
  };
  error({.blocks = {}, .heads = {}}, "RestormerDecoder: expected 1 to 8 levels of blocks, got 0");
  error({.blocks = {1}}, "RestormerDecoder: expected heads for each of 1 levels, got 3");
  error({.refinement_blocks = -1},
        "RestormerDecoder: refinement_blocks must be at least 0, got -1");
  error({.width = 4, .blocks = {1}, .heads = {1}, .expansion = 0.1},
        "GatedFeedForward: expected an expansion that leaves a hidden channel, got 0.1 for 8 "
        "channels");
  error({.width = 4, .blocks = {1}, .heads = {1}, .expansion = 1e300},
        "GatedFeedForward: expected an expansion that leaves a hidden channel, got 1e+300 for 8 "
        "channels");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
