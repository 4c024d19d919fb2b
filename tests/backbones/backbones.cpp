#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/layers/inception_block.hpp>
#include <limpid/layers/initialise.hpp>
#include <limpid/layers/inverted_residual.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace {

using limpid::InceptionResNetV2, limpid::InceptionResNetV2Options;
using limpid::MobileNetV2, limpid::MobileNetV2Options;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

static_assert(limpid::Backbone<InceptionResNetV2> && limpid::Backbone<MobileNetV2>);
static_assert(!limpid::Backbone<limpid::InceptionUnit>, "a layer states no shape");

const InceptionResNetV2Options kNarrowInception{.width = 0.0625, .repeat = 1, .repeat_1 = 2};
const MobileNetV2Options kNarrowMobileNet{.width = 0.25};

std::set<std::string> names_of(const torch::nn::Module& module) {
  std::set<std::string> names;
  for (const auto& item : module.named_parameters()) names.insert(item.key());
  for (const auto& item : module.named_buffers()) names.insert(item.key());
  return names;
}

BOOST_AUTO_TEST_SUITE(inception_resnet_v2)

BOOST_AUTO_TEST_CASE(does_what_every_backbone_does) {
  limpid_test::check_backbone(InceptionResNetV2{kNarrowInception}, "InceptionResNetV2");
}

// Its published maps: tests/encoders/fpn.cpp, with the network behind them.

BOOST_AUTO_TEST_CASE(has_the_names_of_the_imagenet_checkpoint) {
  InceptionResNetV2 narrow{kNarrowInception};
  const auto names = names_of(*narrow);
  for (const auto* name :
       {"conv2d_1a.conv.weight", "conv2d_1a.bn.running_mean", "conv2d_4a.bn.num_batches_tracked",
        "mixed_5b.branch0.conv.weight", "mixed_5b.branch1.0.conv.weight",
        "mixed_5b.branch3.1.conv.weight", "repeat.0.branch0.conv.weight", "repeat.0.conv2d.bias",
        "mixed_6a.branch1.2.bn.bias", "repeat_1.1.branch1.2.conv.weight",
        "mixed_7a.branch0.1.conv.weight", "mixed_7a.branch2.2.bn.running_var"}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(names.contains(name)); }
  }
  // Units of the stem 5, mixed_5b 7, repeat 6, mixed_6a 4, repeat_1 2 x 4, mixed_7a 7: six tensors
  // each; weight and bias of the three blocks' conv2d.
  BOOST_TEST(names.size() == 6u * 37 + 2 * 3);
}

BOOST_AUTO_TEST_CASE(has_the_published_channels) {
  const InceptionResNetV2Options published;
  BOOST_TEST(published.channels(192) == 192);
  BOOST_TEST(kNarrowInception.channels(192) == 12);
  BOOST_TEST(kNarrowInception.channels(32) == 4, "no fewer than four");
  // Without blocks that keep the channels, to be built fast.
  InceptionResNetV2 backbone{InceptionResNetV2Options{.repeat = 0, .repeat_1 = 0}};
  const std::array<std::int64_t, 5> channels{32, 64, 192, 1088, 2080};
  BOOST_TEST(backbone->shape().channels == channels, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  BOOST_TEST(throws_value_error([] { InceptionResNetV2{InceptionResNetV2Options{.width = 0}}; },
                                "InceptionResNetV2: width must be in (0, 1], got 0"));
  BOOST_TEST(throws_value_error([] { InceptionResNetV2{InceptionResNetV2Options{.repeat = -1}}; },
                                "InceptionResNetV2: repeat must be at least 0, got -1"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(mobilenet_v2)

BOOST_AUTO_TEST_CASE(does_what_every_backbone_does) {
  limpid_test::check_backbone(MobileNetV2{kNarrowMobileNet}, "MobileNetV2");
}

BOOST_AUTO_TEST_CASE(gives_the_published_maps) {
  if (!Fixture::available("backbones")) return;
  const Fixture fixture{"backbones"};
  torch::NoGradGuard no_grad;
  for (const auto& maps :
       {std::array<std::int64_t, 5>{1, 3, 6, 10, 15}, {1, 3, 6, 13, 17}, {1, 3, 6, 13, 18}}) {
    MobileNetV2 backbone{MobileNetV2Options{.maps = maps}};
    fixture.fill(*backbone, "mobilenet_v2");
    backbone->eval();
    const auto found = backbone->forward(fixture.input("degraded", {1, 3, 64, 64}));
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const auto name = "mobilenet_v2.features." + std::to_string(maps[i]);
      BOOST_TEST_CONTEXT(name) {
        BOOST_TEST(relative_difference(found[i].slice(1, 0, {}, 8), fixture.at(name)) <
                   limpid_test::kForwardAgreement);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(has_torchvisions_names_and_builds_nothing_behind_its_last_map) {
  MobileNetV2 backbone{kNarrowMobileNet};
  const auto names = names_of(*backbone);
  for (const auto* name :
       {"features.0.0.weight", "features.0.1.running_var", "features.1.conv.0.0.weight",
        "features.1.conv.1.weight", "features.1.conv.2.bias", "features.2.conv.1.0.weight",
        "features.15.conv.2.weight", "features.15.conv.3.running_mean"}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(names.contains(name)); }
  }
  BOOST_TEST(!names.contains("features.16.conv.2.weight"));
}

BOOST_AUTO_TEST_CASE(rounds_its_channels_as_torchvision_does) {
  BOOST_TEST(kNarrowMobileNet.channels(32) == 8);
  BOOST_TEST(kNarrowMobileNet.channels(160) == 40);
  const MobileNetV2Options three_quarters{.width = 0.75};
  BOOST_TEST(three_quarters.channels(24) == 24, "16 would be less than nine tenths");
}

BOOST_AUTO_TEST_CASE(normalises_images_for_torchvisions_weights_if_asked) {
  torch::manual_seed(0);
  MobileNetV2 plain{kNarrowMobileNet};
  auto options = kNarrowMobileNet;
  options.imagenet_input = true;
  torch::manual_seed(0);
  MobileNetV2 normalising{options};
  plain->eval();
  normalising->eval();
  const auto image = torch::rand({1, 3, 32, 32}) * 2 - 1;
  BOOST_TEST(
      torch::equal(normalising->forward(image)[4], plain->forward(limpid::to_imagenet(image))[4]));
}

BOOST_AUTO_TEST_CASE(names_the_option_that_is_wrong) {
  BOOST_TEST(throws_value_error([] { MobileNetV2{MobileNetV2Options{.width = 0}}; },
                                "MobileNetV2: width must be positive, got 0"));
  BOOST_TEST(throws_value_error(
      [] {
        MobileNetV2{MobileNetV2Options{.maps = {1, 3, 7, 10, 15}}};
      },
      "MobileNetV2: expected map 2 to be one of the features of stride 8, got 7"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(random_backbones)

// A backbone without ImageNet weights, whose statistics normalise nothing, must neither blow up nor
// die: the mean square of every map stays within reach of the image's.
BOOST_AUTO_TEST_CASE(keep_the_scale_of_the_image) {
  torch::manual_seed(0);
  torch::NoGradGuard no_grad;
  const auto image = torch::rand({1, 3, 128, 128}) * 2 - 1;
  const auto check = [&](auto backbone) {
    backbone->eval();
    for (const auto& map : backbone->forward(image)) {
      const auto root_mean_square = map.square().mean().sqrt().template item<double>();
      BOOST_TEST(root_mean_square > 0.05);
      BOOST_TEST(root_mean_square < 5);
    }
  };
  check(InceptionResNetV2{InceptionResNetV2Options{.width = 0.25}});
  check(MobileNetV2{});
}

BOOST_AUTO_TEST_CASE(have_weights_of_the_deviation_that_the_gain_asks_for) {
  torch::nn::Conv2d conv{torch::nn::Conv2dOptions(64, 128, 3)};
  limpid::initialise_weights(*conv, limpid::kLinearGain);
  BOOST_TEST(conv->weight.std().item<double>() == 1 / 24.0, boost::test_tools::tolerance(0.05));
  BOOST_TEST(conv->bias.abs().max().item<double>() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
