#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/layers/norm_options.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using limpid::BatchNormStatistics, limpid::NormKind;
using limpid::InceptionResNetV2, limpid::MobileNetV2;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

using InceptionFPN = limpid::FPNEncoder<InceptionResNetV2>;
using InceptionOptions = limpid::FPNEncoderOptions<InceptionResNetV2>;
using MobileFPN = limpid::FPNEncoder<MobileNetV2>;
using MobileOptions = limpid::FPNEncoderOptions<MobileNetV2>;
using Deblur = limpid::FPNDecoder<"deblur">;

static_assert(limpid::Encoder<InceptionFPN> && limpid::Encoder<MobileFPN>);
static_assert(limpid::DecoderFor<Deblur, InceptionFPN> && limpid::DecoderFor<Deblur, MobileFPN>);
static_assert(limpid::ModuleOf<InceptionFPN>::architecture == "fpn-inception-resnet-v2");
static_assert(limpid::ModuleOf<MobileFPN>::architecture == "fpn-mobilenet-v2");

InceptionOptions narrow_inception() {
  return {.backbone = {.width = 0.0625, .repeat = 1, .repeat_1 = 1},
          .pyramid_width = 16,
          .head_width = 8};
}

MobileOptions narrow_mobile() {
  return {.backbone = {.width = 0.25}, .pyramid_width = 16, .head_width = 8};
}

BOOST_AUTO_TEST_SUITE(fpn_encoder)

BOOST_AUTO_TEST_CASE(does_what_every_encoder_does) {
  limpid_test::check_encoder(InceptionFPN{narrow_inception()}, "FPNEncoder");
}

BOOST_AUTO_TEST_CASE(does_so_over_another_backbone) {
  auto options = narrow_mobile();
  options.top_down_convs = true;
  limpid_test::check_encoder(MobileFPN{options}, "FPNEncoder");
}

BOOST_AUTO_TEST_CASE(gives_one_map_at_half_the_sides_and_four_at_a_quarter) {
  InceptionFPN encoder{narrow_inception()};
  const auto features = encoder->forward(torch::zeros({2, 3, 128, 160}));
  BOOST_TEST(features.maps[0].sizes() == torch::IntArrayRef({2, 8, 64, 80}));
  for (int i = 1; i < 5; ++i) {
    BOOST_TEST(features.maps[i].sizes() == torch::IntArrayRef({2, 8, 32, 40}));
  }
}

BOOST_AUTO_TEST_CASE(takes_the_sides_that_its_backbone_takes) {
  BOOST_TEST((InceptionFPN { narrow_inception() } -> padding().padded(1)) == 128);
  BOOST_TEST((InceptionFPN { narrow_inception() } -> padding().padded(129)) == 160);
  BOOST_TEST((MobileFPN { narrow_mobile() } -> padding().padded(1)) == 32);
  auto options = narrow_mobile();
  options.batch_norm = BatchNormStatistics::batch;
  BOOST_TEST((MobileFPN { options } -> padding().padded(1)) == 64,
             "one pixel alone has no statistics");
}

BOOST_AUTO_TEST_CASE(adds_convolutions_to_the_top_down_path_if_asked) {
  auto options = narrow_inception();
  InceptionFPN plain{options};
  BOOST_TEST(!plain->named_parameters().contains("fpn.td1.0.weight"));
  options.top_down_convs = true;
  InceptionFPN with{options};
  for (const auto* name : {"fpn.td1.0.weight", "fpn.td2.0.bias", "fpn.td3.0.weight"}) {
    BOOST_TEST(with->named_parameters().contains(name));
  }
  BOOST_TEST(!with->named_parameters().contains("fpn.td1.1.weight"));
  options.norm = NormKind::batch;
  InceptionFPN with_batch_norm{options};
  BOOST_TEST(with_batch_norm->named_parameters().contains("fpn.td1.1.weight"));
}

/// Sum of all running statistics of a module's batch norms.
double statistics_of(const torch::nn::Module& module) {
  double sum = 0;
  for (const auto& item : module.named_buffers()) {
    sum += item.value().to(torch::kDouble).sum().item<double>();
  }
  return sum;
}

BOOST_AUTO_TEST_CASE(uses_and_keeps_running_statistics_while_training) {
  torch::manual_seed(0);
  MobileFPN encoder{narrow_mobile()};
  const auto image = torch::rand({1, 3, 64, 64}) * 2 - 1;
  const auto before = statistics_of(*encoder);
  const auto fresh = encoder->forward(image).maps[4];
  encoder->train();
  const auto trained = encoder->forward(image).maps[4];
  encoder->eval();
  BOOST_TEST(torch::equal(fresh, trained), "also before anybody has called train()");
  BOOST_TEST(torch::equal(encoder->forward(image).maps[4], trained));
  BOOST_TEST(statistics_of(*encoder) == before);
  for (const auto& parameter : encoder->pretrained().parameters()) {
    BOOST_TEST(parameter.requires_grad(), "affine weights are trained");
  }
}

BOOST_AUTO_TEST_CASE(uses_and_updates_statistics_of_the_batch_if_asked) {
  torch::manual_seed(0);
  auto options = narrow_mobile();
  options.batch_norm = BatchNormStatistics::batch;
  MobileFPN encoder{options};
  const auto image = torch::rand({2, 3, 64, 64}) * 2 - 1;
  encoder->eval();
  const auto before = statistics_of(*encoder);
  const auto running = encoder->forward(image).maps[4];
  BOOST_TEST(statistics_of(*encoder) == before);
  encoder->train();
  BOOST_TEST(!torch::equal(encoder->forward(image).maps[4], running));
  BOOST_TEST(statistics_of(*encoder) != before);
  // What a trainer does to a frozen part.
  encoder->pretrained().eval();
  const auto kept = statistics_of(*encoder);
  encoder->forward(image);
  BOOST_TEST(statistics_of(*encoder) == kept);
}

BOOST_AUTO_TEST_CASE(calls_its_backbone_the_pretrained_part) {
  InceptionFPN encoder{narrow_inception()};
  BOOST_TEST(&encoder->pretrained() == encoder->backbone().get());
  BOOST_TEST(encoder->named_parameters().contains("fpn.inception.conv2d_1a.conv.weight"));
  MobileFPN light{narrow_mobile()};
  BOOST_TEST(light->named_parameters().contains("fpn.mobilenet.features.0.0.weight"));
}

BOOST_AUTO_TEST_CASE(keeps_every_option_in_json) {
  auto options = narrow_mobile();
  options.top_down_convs = true;
  options.norm = NormKind::none;
  options.batch_norm = BatchNormStatistics::batch;
  options.backbone.maps = {1, 2, 4, 13, 17};
  limpid_test::check_options(MobileFPN{options});
  nlohmann::json json = options;
  BOOST_TEST((json.at("batch_norm") == "batch"));
  BOOST_TEST((json.get<MobileOptions>().backbone.maps == options.backbone.maps));
  BOOST_TEST((json.get<MobileOptions>().norm == NormKind::none));
  json["batch_norm"] = "mixed";
  BOOST_TEST(
      throws_value_error([&] { json.get<MobileOptions>(); },
                         "BatchNormStatistics: expected \"running\" or \"batch\", got \"mixed\""));
  json["norm"] = 3;
  BOOST_TEST(throws_value_error(
      [&] { json.get<MobileOptions>(); },
      "NormKind: expected \"instance\", \"batch\", \"layer\" or \"none\", got 3"));
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  auto options = narrow_inception();
  options.pyramid_width = 0;
  BOOST_TEST(throws_value_error([&] { InceptionFPN{options}; },
                                "FPNEncoder: pyramid_width must be at least 1, got 0"));
  options = narrow_inception();
  options.backbone.width = 2;
  BOOST_TEST(throws_value_error([&] { InceptionFPN{options}; },
                                "InceptionResNetV2: width must be in (0, 1], got 2"));
  InceptionFPN encoder{narrow_inception()};
  BOOST_TEST(throws_value_error(
      [&] {
        encoder->forward(torch::zeros({1, 3, 96, 128}));
      },
      "FPNEncoder: expected sides of at least 128 pixels, got [1, 3, 96, 128]"));
}

struct StridesOptions {
  std::int64_t missing = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StridesOptions, missing)

/// A backbone as a user writes one: five strided convolutions. It may lie about its border.
struct StridesImpl : torch::nn::Cloneable<StridesImpl> {
  using Options = StridesOptions;

  static constexpr std::string_view architecture = "strides";
  static constexpr std::string_view published_name = "strides";

  explicit StridesImpl(Options options = {}) : options_(options) { reset(); }
  void reset() override {
    convs_ = register_module("convs", torch::nn::ModuleList());
    for (std::int64_t in : {3, 4, 4, 4, 4}) {
      convs_->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, 4, 2).stride(2)));
    }
  }
  std::array<at::Tensor, 5> forward(const at::Tensor& image) {
    std::array<at::Tensor, 5> maps;
    auto map = image;
    for (std::size_t i = 0; i < 5; ++i) {
      maps[i] = map = torch::relu(convs_->at<torch::nn::Conv2dImpl>(i).forward(map));
    }
    maps[2] = maps[2].narrow(3, 0, maps[2].size(3) - options_.missing);
    return maps;
  }
  limpid::BackboneShape shape() const { return {.channels = {4, 4, 4, 4, 4}}; }
  const Options& options() const { return options_; }

  Options options_;
  torch::nn::ModuleList convs_{nullptr};
};
TORCH_MODULE(Strides);

static_assert(limpid::Backbone<Strides>);

BOOST_AUTO_TEST_CASE(stands_on_any_backbone_that_keeps_its_word) {
  using Options = limpid::FPNEncoderOptions<Strides>;
  limpid_test::check_encoder(limpid::FPNEncoder<Strides>{Options{.pyramid_width = 8}},
                             "FPNEncoder");
  limpid::FPNEncoder<Strides> liar{Options{.backbone = {.missing = 1}, .pyramid_width = 8}};
  BOOST_TEST(throws_value_error(
      [&] {
        liar->forward(torch::zeros({1, 3, 64, 96}));
      },
      "FPNEncoder: expected map 2 of backbone 'strides' to have 8 x 12 pixels with its border, got "
      "8 x 11"));
}

BOOST_AUTO_TEST_SUITE_END()

/// Encoder and decoder of the fixture, full size, with its weights.
struct PublishedFPN {
  explicit PublishedFPN(const Fixture& fixture, InceptionOptions options = {}) : encoder{options} {
    fixture.fill(*encoder, "encoder");
    fixture.fill(*decoder, "decoder");
    encoder->eval();
    decoder->eval();
  }

  at::Tensor restore(const at::Tensor& degraded) {
    return limpid_test::restore(encoder, decoder, degraded);
  }

  InceptionFPN encoder;
  Deblur decoder;
};

void check_agreement(const at::Tensor& found, const Fixture& fixture, const std::string& name,
                     double agreement = limpid_test::kForwardAgreement) {
  const auto difference = relative_difference(found, fixture.at(name));
  BOOST_TEST_MESSAGE(name << ": " << difference);
  BOOST_TEST_CONTEXT(name) { BOOST_TEST(difference < agreement); }
}

/// Every 2nd row and column.
at::Tensor thinned(const at::Tensor& image) { return image.slice(2, 0, {}, 2).slice(3, 0, {}, 2); }

BOOST_AUTO_TEST_SUITE(published_fpn)

BOOST_AUTO_TEST_CASE(gives_the_published_maps_image_and_gradients) {
  if (!Fixture::available("fpn_inception")) return;
  const Fixture fixture{"fpn_inception"};
  PublishedFPN fpn{fixture};
  const auto degraded = fixture.input("degraded", {1, 3, 128, 160});
  {
    torch::NoGradGuard no_grad;
    const auto maps = fpn.encoder->backbone()->forward(degraded);
    const auto features = fpn.encoder->forward(degraded);
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const auto number = std::to_string(i);
      check_agreement(maps[i].slice(1, 0, {}, 32), fixture, "backbone." + number);
      check_agreement(features.maps[i].slice(1, 0, {}, 16), fixture, "map." + number);
    }
    check_agreement(fpn.restore(degraded), fixture, "restored");
  }
  // In double: in float, a ReLU whose input is 1e-6 may fall on its other side, by the number of
  // threads, and this one pixel moves gradients by a percent.
  fpn.encoder->to(torch::kDouble);
  fpn.decoder->to(torch::kDouble);
  const auto restored = fpn.restore(degraded.to(torch::kDouble));
  (restored * fixture.input("probe", {1, 3, 128, 160})).sum().backward();
  const auto encoder = fpn.encoder->named_parameters();
  const auto decoder = fpn.decoder->named_parameters();
  check_agreement(encoder["fpn.inception.conv2d_1a.conv.weight"].grad(), fixture,
                  "grad.encoder.fpn.inception.conv2d_1a.conv.weight",
                  limpid_test::kGradientAgreement);
  check_agreement(encoder["fpn.lateral3.weight"].grad().slice(0, 0, {}, 16), fixture,
                  "grad.encoder.fpn.lateral3.weight", limpid_test::kGradientAgreement);
  check_agreement(decoder["smooth.0.weight"].grad().slice(0, 0, {}, 16), fixture,
                  "grad.decoder.smooth.0.weight", limpid_test::kGradientAgreement);
}

BOOST_AUTO_TEST_CASE(gives_the_published_image_with_statistics_of_the_batch_and_with_td_convs) {
  if (!Fixture::available("fpn_inception")) return;
  const Fixture fixture{"fpn_inception"};
  torch::NoGradGuard no_grad;
  const auto degraded = fixture.input("degraded", {1, 3, 128, 160});
  for (const bool top_down_convs : {false, true}) {
    PublishedFPN fpn{fixture, InceptionOptions{.top_down_convs = top_down_convs,
                                               .batch_norm = BatchNormStatistics::batch}};
    const std::string name = top_down_convs ? "v2.restored" : "restored";
    if (top_down_convs) check_agreement(thinned(fpn.restore(degraded)), fixture, name);
    fpn.encoder->train();
    check_agreement(thinned(fpn.restore(degraded)), fixture, name + ".batch_statistics");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
