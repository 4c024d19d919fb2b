#include <limpid/decoders/resnet.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::ResNetDecoder, limpid::ResNetDecoderOptions;
using limpid::ResNetEncoder, limpid::ResNetEncoderOptions;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

using Deblur = ResNetDecoder<"deblur">;

static_assert(limpid::DecoderFor<Deblur, ResNetEncoder>);
static_assert(limpid::ModuleOf<Deblur>::task == "deblur");
static_assert(limpid::ModuleOf<Deblur>::skip == limpid::GlobalSkip::clamped);

BOOST_AUTO_TEST_SUITE(resnet_decoder)

BOOST_AUTO_TEST_CASE(does_what_every_decoder_does) {
  limpid_test::check_decoder(ResNetEncoder{ResNetEncoderOptions{.width = 4, .blocks = 1}},
                             Deblur{ResNetDecoderOptions{.width = 4}});
}

BOOST_AUTO_TEST_CASE(gives_the_published_image_and_gradients) {
  if (!Fixture::available("resnet_generator")) return;
  const Fixture fixture{"resnet_generator"};
  const auto width = fixture.number("width");
  ResNetEncoder encoder{ResNetEncoderOptions{.width = width, .blocks = fixture.number("blocks")}};
  Deblur decoder{ResNetDecoderOptions{.width = width}};
  fixture.fill(*encoder, "encoder");
  fixture.fill(*decoder, "decoder");
  encoder->eval();
  decoder->eval();

  const auto degraded = fixture.input("degraded", {2, 3, 48, 64}).requires_grad_();
  const auto restored = limpid_test::restore(encoder, decoder, degraded);
  BOOST_TEST(relative_difference(restored, fixture.at("restored")) <
             limpid_test::kForwardAgreement);

  (restored * fixture.input("probe", {2, 3, 48, 64})).sum().backward();
  const auto agrees = [&](const at::Tensor& found, const std::string& name) {
    return relative_difference(found, fixture.at("grad." + name)) < limpid_test::kGradientAgreement;
  };
  BOOST_TEST(agrees(degraded.grad(), "degraded"));
  for (const std::string name : {"model.1.weight", "model.10.conv_block.1.weight"}) {
    BOOST_TEST(agrees(encoder->named_parameters()[name].grad(), "encoder." + name));
  }
  BOOST_TEST(
      agrees(decoder->named_parameters()["model.0.weight"].grad(), "decoder.model.0.weight"));
}

BOOST_AUTO_TEST_CASE(stays_within_minus_one_and_one) {
  Deblur decoder{ResNetDecoderOptions{.width = 4}};
  const auto decoded = decoder->forward(100 * torch::randn({1, 16, 4, 4}));
  BOOST_TEST(decoded.sizes() == torch::IntArrayRef({1, 3, 16, 16}));
  BOOST_TEST(decoded.abs().max().item<float>() <= 1);
}

BOOST_AUTO_TEST_CASE(names_the_channels_it_wanted) {
  Deblur decoder{ResNetDecoderOptions{.width = 4}};
  BOOST_TEST(throws_value_error(
      [&] {
        decoder->forward(torch::zeros({1, 32, 4, 4}));
      },
      "ResNetDecoder: expected features (N, 16, H, W), got [1, 32, 4, 4]"));
  BOOST_TEST(throws_value_error([&] { decoder->forward(at::Tensor{}); },
                                "ResNetDecoder: expected features (N, 16, H, W), got nothing"));
  BOOST_TEST(throws_value_error([] { Deblur{ResNetDecoderOptions{.width = 0}}; },
                                "ResNetDecoder: width must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
