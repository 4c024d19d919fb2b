#include <limpid/encoders/gunet.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::GUNetEncoder, limpid::GUNetEncoderOptions, limpid::NormKind;
using limpid_test::throws_value_error;

static_assert(limpid::Encoder<GUNetEncoder>);

BOOST_AUTO_TEST_SUITE(gunet_encoder)

BOOST_AUTO_TEST_CASE(does_what_every_encoder_does) {
  limpid_test::check_encoder(
      GUNetEncoder{GUNetEncoderOptions{.width = 4, .blocks = {1, 0, 1}, .kernel = 3}},
      "GUNetEncoder");
}

BOOST_AUTO_TEST_CASE(gives_a_skip_for_each_level_but_the_last_and_the_bottom) {
  GUNetEncoder encoder{GUNetEncoderOptions{.width = 4, .blocks = {1, 1, 1}}};
  BOOST_TEST(encoder->padding().multiple == 4);
  BOOST_TEST(encoder->padding().min_side == 12);
  const auto features = encoder->forward(torch::zeros({2, 3, 12, 16}));
  BOOST_TEST(features.bottom.sizes() == torch::IntArrayRef({2, 16, 3, 4}));
  BOOST_TEST(features.skips.size() == 2u);
  BOOST_TEST(features.skips[1].sizes() == torch::IntArrayRef({2, 8, 6, 8}));
}

BOOST_AUTO_TEST_CASE(takes_any_norm) {
  for (const auto norm : {NormKind::batch, NormKind::instance, NormKind::none}) {
    GUNetEncoder encoder{GUNetEncoderOptions{.width = 4, .blocks = {1, 1}, .norm = norm}};
    limpid_test::check_options(encoder);
    BOOST_TEST(encoder->named_buffers().is_empty() == (norm != NormKind::batch));
    BOOST_TEST(encoder->forward(torch::rand({2, 3, 8, 8})).bottom.isfinite().all().item<bool>());
    limpid_test::check_clone_owns_weights(encoder, [](GUNetEncoder& e) {
      e->eval();
      return e->forward(torch::ones({1, 3, 8, 8}).cumsum(3)).bottom;
    });
  }
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  const auto error = [](GUNetEncoderOptions options, const std::string& text) {
    BOOST_TEST(throws_value_error([&] { GUNetEncoder{options}; }, text));
  };
  error({.width = 0}, "GUNetEncoder: width must be at least 1, got 0");
  error({.blocks = {1}}, "GUNetEncoder: expected 2 to 8 levels of blocks, got 1");
  error({.blocks = {1, -1}}, "GUNetEncoder: blocks must be at least 0, got -1");
  error({.kernel = 4}, "GatedConvBlock: kernel must be odd, got 4");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
