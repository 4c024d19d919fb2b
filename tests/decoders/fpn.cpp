#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/layers/fpn_head.hpp>
#include <limpid/layers/upsample_nearest.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace {

using limpid::FPNDecoderOptions, limpid::InceptionResNetV2, limpid::MobileNetV2, limpid::NormKind;
using limpid_test::throws_value_error;

using MobileFPN = limpid::FPNEncoder<MobileNetV2>;
using MobileOptions = limpid::FPNEncoderOptions<MobileNetV2>;
using InceptionFPN = limpid::FPNEncoder<InceptionResNetV2>;
using InceptionOptions = limpid::FPNEncoderOptions<InceptionResNetV2>;
using Deblur = limpid::FPNDecoder<"deblur">;

MobileOptions narrow_mobile() {
  return {.backbone = {.width = 0.25}, .pyramid_width = 16, .head_width = 8};
}

BOOST_AUTO_TEST_SUITE(fpn_decoder)

BOOST_AUTO_TEST_CASE(does_what_every_decoder_does) {
  limpid_test::check_decoder(MobileFPN{narrow_mobile()}, Deblur{FPNDecoderOptions{.width = 8}});
}

BOOST_AUTO_TEST_CASE(does_so_with_another_norm_and_encoder) {
  for (const auto norm : {NormKind::batch, NormKind::none}) {
    limpid_test::check_decoder(
        InceptionFPN{InceptionOptions{.backbone = {.width = 0.0625, .repeat = 0, .repeat_1 = 0},
                                      .pyramid_width = 8,
                                      .head_width = 8}},
        Deblur{FPNDecoderOptions{.width = 8, .norm = norm}});
  }
}

BOOST_AUTO_TEST_CASE(adds_the_degraded_image_unless_it_is_told_otherwise) {
  using limpid::GlobalSkip;
  BOOST_TEST((Deblur {} -> skip() == GlobalSkip::clamped));
  MobileFPN encoder{narrow_mobile()};
  Deblur decoder{FPNDecoderOptions{.width = 8, .norm = NormKind::batch, .skip = GlobalSkip::none}};
  limpid_test::check_decoder(encoder, decoder);
  encoder->eval();
  decoder->eval();
  torch::NoGradGuard no_grad;
  const auto degraded = torch::rand({1, 3, 32, 32}) * 2 - 1;
  BOOST_TEST(torch::equal(limpid_test::restore(encoder, decoder, degraded),
                          decoder->forward(encoder->forward(degraded))));
  nlohmann::json json = decoder->options();
  BOOST_TEST((json.at("skip") == "none"));
  json["skip"] = "some";
  BOOST_TEST(
      throws_value_error([&] { json.get<FPNDecoderOptions>(); },
                         "GlobalSkip: expected \"clamped\", \"plain\" or \"none\", got \"some\""));
}

BOOST_AUTO_TEST_CASE(has_the_published_names) {
  Deblur decoder{FPNDecoderOptions{.width = 8}};
  const auto parameters = decoder->named_parameters();
  BOOST_TEST(parameters.size() == 6u);
  for (const auto* name : {"smooth.0.weight", "smooth.0.bias", "smooth2.0.weight", "smooth2.0.bias",
                           "final.weight", "final.bias"}) {
    BOOST_TEST(parameters.contains(name));
  }
}

BOOST_AUTO_TEST_CASE(starts_near_the_degraded_image) {
  torch::manual_seed(0);
  MobileFPN encoder{narrow_mobile()};
  Deblur decoder{FPNDecoderOptions{.width = 8}};
  const auto added = decoder->forward(encoder->forward(torch::rand({1, 3, 64, 64}) * 2 - 1));
  BOOST_TEST(added.square().mean().sqrt().item<double>() < 0.2);
}

// Random weights, statistics that normalise nothing, batches of one: the hard case.
BOOST_AUTO_TEST_CASE(learns_with_its_encoder_from_random_weights) {
  torch::manual_seed(0);
  MobileFPN encoder{narrow_mobile()};
  Deblur decoder{FPNDecoderOptions{.width = 8}};
  auto parameters = encoder->parameters();
  for (const auto& parameter : decoder->parameters()) parameters.push_back(parameter);
  torch::optim::Adam adam{parameters, torch::optim::AdamOptions(2e-3)};
  const auto target = torch::rand({1, 3, 8, 8}) * 2 - 1;
  const auto sharp = limpid::upsample_nearest(target, 8);
  const auto degraded = 0.5 * sharp + 0.2;
  const auto loss = [&] {
    return (limpid_test::restore(encoder, decoder, degraded) - sharp).abs().mean();
  };
  const auto first = loss().item<double>();
  for (int step = 0; step < 60; ++step) {
    adam.zero_grad();
    const auto error = loss();
    error.backward();
    BOOST_REQUIRE(error.isfinite().item<bool>());
    adam.step();
  }
  const auto last = loss().item<double>();
  BOOST_TEST_MESSAGE("mean error " << first << " -> " << last);
  BOOST_TEST(last < 0.5 * first);
}

BOOST_AUTO_TEST_CASE(refuses_features_of_another_width) {
  MobileFPN encoder{narrow_mobile()};
  const auto features = encoder->forward(torch::zeros({1, 3, 32, 64}));
  Deblur wider{FPNDecoderOptions{.width = 16}};
  BOOST_TEST(throws_value_error([&] { wider->forward(features); },
                                "FPNDecoder: expected map 0 (N, 16, H, W), got [1, 8, 16, 32]"));
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  BOOST_TEST(throws_value_error([] { Deblur{FPNDecoderOptions{.width = 7}}; },
                                "FPNDecoder: width must be even and at least 2, got 7"));
}

BOOST_AUTO_TEST_CASE(repeats_pixels) {
  const auto map = torch::arange(4, torch::kFloat).view({1, 1, 2, 2});
  BOOST_TEST(torch::equal(limpid::upsample_nearest(map, 2)[0][0][1],
                          torch::tensor({0, 0, 1, 1}, torch::kFloat)));
  BOOST_TEST(limpid::upsample_nearest(map, 1).is_same(map));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
