#include <limpid/backbones/densenet121.hpp>
#include <limpid/backbones/resnet34.hpp>
#include <limpid/backbones/se_resnext50.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace {

using limpid::DenseNet121, limpid::DenseNet121Options;
using limpid::ResNet34, limpid::ResNet34Options;
using limpid::SEResNeXt50, limpid::SEResNeXt50Options;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;
using Names = std::vector<std::string>;

static_assert(limpid::Backbone<ResNet34> && limpid::Backbone<DenseNet121> &&
              limpid::Backbone<SEResNeXt50>);

const ResNet34Options kNarrowResNet{.width = 0.0625, .blocks = {1, 2, 1, 1}};
const DenseNet121Options kNarrowDenseNet{.width = 0.125, .layers = {1, 2, 1, 1}};
const SEResNeXt50Options kNarrowSEResNeXt{.width = 0.0625, .blocks = {1, 2, 1, 1}};

/// The maps of a backbone with the fixture's weights are the published ones.
template <limpid::Backbone B>
void check_published_maps(const std::string& prefix, const Names& maps) {
  if (!Fixture::available("backbones")) return;
  const Fixture fixture{"backbones"};
  torch::NoGradGuard no_grad;
  B backbone;
  fixture.fill(*backbone, prefix);
  backbone->eval();
  const auto found = backbone->forward(fixture.input("degraded", {1, 3, 64, 64}));
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const auto difference =
        relative_difference(found[i].slice(1, 0, {}, 8), fixture.at(prefix + "." + maps[i]));
    BOOST_TEST_MESSAGE(prefix << "." << maps[i] << ": " << difference);
    BOOST_TEST(difference < limpid_test::kForwardAgreement, maps[i]);
    BOOST_TEST(backbone->shape().channels[i] == found[i].size(1));
  }
}

/// A backbone has `count` tensors, these among them.
void check_names(const torch::nn::Module& module, std::size_t count, const Names& some) {
  std::set<std::string> names;
  for (const auto& item : module.named_parameters()) names.insert(item.key());
  for (const auto& item : module.named_buffers()) names.insert(item.key());
  for (const auto& name : some) BOOST_TEST(names.contains(name), name);
  BOOST_TEST(names.size() == count);
}

BOOST_AUTO_TEST_SUITE(residual_and_dense_backbones)

BOOST_AUTO_TEST_CASE(each_does_what_every_backbone_does) {
  limpid_test::check_backbone(ResNet34{kNarrowResNet}, "ResNet34");
  limpid_test::check_backbone(DenseNet121{kNarrowDenseNet}, "DenseNet121");
  limpid_test::check_backbone(SEResNeXt50{kNarrowSEResNeXt}, "SEResNeXt50");
}

BOOST_AUTO_TEST_CASE(resnet34_gives_the_published_maps) {
  check_published_maps<ResNet34>("resnet34", {"relu", "layer1", "layer2", "layer3", "layer4"});
}

BOOST_AUTO_TEST_CASE(densenet121_gives_the_published_maps) {
  check_published_maps<DenseNet121>(
      "densenet121", {"features.relu0", "features.denseblock1", "features.denseblock2",
                      "features.denseblock3", "features.norm5"});
}

BOOST_AUTO_TEST_CASE(se_resnext50_gives_the_published_maps) {
  check_published_maps<SEResNeXt50>("se_resnext50_32x4d",
                                    {"layer0.relu1", "layer1", "layer2", "layer3", "layer4"});
}

BOOST_AUTO_TEST_CASE(each_has_the_names_of_its_imagenet_checkpoint) {
  // A convolution and a norm: six tensors. The stem, two per block, one per projection.
  check_names(*ResNet34{kNarrowResNet}, 6 * (1 + 2 * 5 + 3),
              {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.1.bn2.bias",
               "layer2.0.downsample.0.weight", "layer4.0.downsample.1.num_batches_tracked"});
  // Stem, two per layer, one per transition, and the last norm.
  check_names(*DenseNet121{kNarrowDenseNet}, 6 * (1 + 2 * 5 + 3) + 5,
              {"features.conv0.weight", "features.norm0.running_var",
               "features.denseblock2.denselayer2.norm1.weight",
               "features.denseblock4.denselayer1.conv2.weight", "features.transition3.conv.weight",
               "features.transition1.norm.bias", "features.norm5.running_mean"});
  // Stem, three per block with the four of its squeeze, one projection per stage.
  check_names(*SEResNeXt50{kNarrowSEResNeXt}, 6 * (1 + 3 * 5 + 4) + 4 * 5,
              {"layer0.conv1.weight", "layer0.bn1.weight", "layer1.0.conv3.weight",
               "layer1.0.se_module.fc1.bias", "layer2.1.se_module.fc2.weight",
               "layer1.0.downsample.0.weight", "layer4.0.bn3.running_var"});
}

BOOST_AUTO_TEST_CASE(se_resnext50_keeps_its_groups_when_it_is_narrow) {
  BOOST_TEST(SEResNeXt50Options{}.groups() == 32);
  BOOST_TEST(kNarrowSEResNeXt.groups() == 2);
  SEResNeXt50 backbone{kNarrowSEResNeXt};
  const auto weight = backbone->named_parameters()["layer2.0.conv2.weight"];
  BOOST_TEST(weight.sizes() == torch::IntArrayRef({16, 8, 3, 3}), "two groups of 8 channels");
}

BOOST_AUTO_TEST_CASE(each_normalises_images_for_imagenets_weights_if_asked) {
  torch::NoGradGuard no_grad;
  const auto image = torch::rand({1, 3, 32, 32}) * 2 - 1;
  const auto check = [&](auto plain, auto options) {
    options.imagenet_input = true;
    decltype(plain) normalising{options};
    auto to = normalising->named_parameters();
    for (const auto& item : plain->named_parameters()) to[item.key()].copy_(item.value());
    plain->eval();
    normalising->eval();
    BOOST_TEST(torch::equal(normalising->forward(image)[4],
                            plain->forward(limpid::to_imagenet(image))[4]));
  };
  check(ResNet34{kNarrowResNet}, kNarrowResNet);
  check(DenseNet121{kNarrowDenseNet}, kNarrowDenseNet);
  check(SEResNeXt50{kNarrowSEResNeXt}, kNarrowSEResNeXt);
}

// Without ImageNet weights, whose statistics normalise nothing, they must neither blow up nor die.
BOOST_AUTO_TEST_CASE(random_ones_keep_the_scale_of_the_image) {
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
  check(ResNet34{ResNet34Options{.width = 0.25}});
  check(DenseNet121{DenseNet121Options{.width = 0.25}});
  check(SEResNeXt50{SEResNeXt50Options{.width = 0.25}});
}

BOOST_AUTO_TEST_CASE(each_names_the_option_that_is_wrong) {
  BOOST_TEST(throws_value_error([] { ResNet34{ResNet34Options{.width = 0}}; },
                                "ResNet34: width must be in (0, 1], got 0"));
  BOOST_TEST(throws_value_error(
      [] {
        ResNet34{ResNet34Options{.blocks = {3, 0, 6, 3}}};
      },
      "ResNet34: blocks must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { DenseNet121{DenseNet121Options{.width = 2}}; },
                                "DenseNet121: width must be in (0, 1], got 2"));
  BOOST_TEST(throws_value_error(
      [] {
        DenseNet121{DenseNet121Options{.layers = {1, 1, 1, 0}}};
      },
      "DenseNet121: layers must be at least 1, got 0"));
  BOOST_TEST(throws_value_error([] { SEResNeXt50{SEResNeXt50Options{.width = -1}}; },
                                "SEResNeXt50: width must be in (0, 1], got -1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
