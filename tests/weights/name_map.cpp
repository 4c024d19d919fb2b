#include <limpid/weights/map_registry.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/name_pattern.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using Names = std::vector<std::string>;

/// limpid's name and the published one lead to each other.
void check_pair(const NameMap& map, const std::string& own, const std::string& published) {
  BOOST_TEST(map.published(own).value_or("nothing") == published);
  BOOST_TEST(map.own(published).value_or("nothing") == own);
}

void check_ignored(const NameMap& map, const Names& published) {
  for (const auto& name : published) BOOST_TEST(map.ignores(name), name);
}

BOOST_AUTO_TEST_SUITE(name_map)

BOOST_AUTO_TEST_CASE(a_map_without_rules_leaves_names_as_they_are) {
  check_pair(NameMap{}, "encoder.model.1.weight", "encoder.model.1.weight");
  BOOST_TEST(!NameMap{}.ignores("anything"));
  BOOST_TEST(!NameMap{}.may_lack("anything"));
}

BOOST_AUTO_TEST_CASE(patterns_match_numbers_and_the_rest) {
  const limpid::detail::NamePattern pattern{"layer#.*.weight"};
  BOOST_TEST((pattern.match("layer12.a.b.weight") == Names{"12", "a.b"}));
  for (const auto* other : {"layer.a.weight", "layer01.a.weight", "layer1..weigh", "layer1.weight",
                            "Layer1.a.weight", "layer1.a.weights", ""}) {
    BOOST_TEST(!pattern.match(other), other);
  }
  BOOST_TEST(pattern.fill({"3", "x"}) == "layer3.x.weight");
  BOOST_TEST((limpid::detail::NamePattern{"*.a.*"}.match("a.a.a.b") == Names{"a", "a.b"}));
  BOOST_TEST(!limpid::detail::NamePattern{"a*"}.match("a"), "a star is at least one character");
}

BOOST_AUTO_TEST_CASE(the_first_rule_that_fits_decides_and_other_names_have_no_counterpart) {
  NameMap map;
  map.rename("a.special", "s").rename("a.*", "b.*");
  check_pair(map, "a.special", "s");
  check_pair(map, "a.x.y", "b.x.y");
  BOOST_TEST(!map.published("c.x").has_value());
  BOOST_TEST(!map.own("a.x").has_value());
}

BOOST_AUTO_TEST_CASE(numbers_are_shifted_within_their_range) {
  NameMap map;
  map.rename("encoder.#.*", "#.*", {.last = 4}).rename("decoder.#.*", "#.*", {.shift = 5});
  check_pair(map, "encoder.4.weight", "4.weight");
  check_pair(map, "decoder.0.weight", "5.weight");
  check_pair(map, "decoder.12.bias", "17.bias");
  BOOST_TEST(!map.published("encoder.5.weight").has_value());
}

BOOST_AUTO_TEST_CASE(both_sides_of_a_rule_have_the_same_wildcards) {
  BOOST_TEST(
      limpid_test::throws_value_error([] { NameMap{}.rename("a.#.*", "b.*"); },
                                      "NameMap: expected the same wildcards in 'a.#.*' and 'b.*'"));
}

BOOST_AUTO_TEST_CASE(a_part_of_a_model_by_itself) {
  const auto whole = maps::deblurgan_resnet("deblur", {.blocks = 2});
  const auto encoder = whole.part("encoder."), decoder = whole.part("decoder.deblur.");
  check_pair(encoder, "model.1.weight", "model.1.weight");
  BOOST_TEST(!encoder.own("model.12.weight").has_value());
  BOOST_TEST(encoder.ignores("model.12.weight"));
  BOOST_TEST(!encoder.ignores("else.weight"));
  check_pair(decoder, "model.0.weight", "model.12.weight");
  BOOST_TEST(decoder.ignores("model.1.weight"));
}

BOOST_AUTO_TEST_CASE(deblurgans_resnet_is_one_flat_sequence) {
  const auto map = maps::deblurgan_resnet("deblur");
  check_pair(map, "encoder.model.1.weight", "model.1.weight");
  check_pair(map, "encoder.model.18.conv_block.6.bias", "model.18.conv_block.6.bias");
  check_pair(map, "decoder.deblur.model.0.weight", "model.19.weight");
  check_pair(map, "decoder.deblur.model.7.bias", "model.26.bias");
  BOOST_TEST(!map.published("decoder.derain.model.7.bias").has_value());
  check_ignored(map, {"model.2.running_mean", "model.10.conv_block.7.running_var",
                      "model.20.num_batches_tracked"});
  BOOST_TEST((map.norms_of("model.1.bias") == Names{"model.2"}));
  BOOST_TEST((map.norms_of("model.22.bias") == Names{"model.23"}));
  BOOST_TEST(map.norms_of("model.26.bias").empty(), "no norm behind the last convolution");
  BOOST_TEST((map.norms_of("model.18.conv_block.6.bias") == Names{"model.18.conv_block.7"}));
}

BOOST_AUTO_TEST_CASE(blocks_without_dropout_count_one_layer_less) {
  const auto map = maps::deblurgan_resnet("deblur", {.blocks = 2, .dropout = false});
  check_pair(map, "encoder.model.10.conv_block.1.weight", "model.10.conv_block.1.weight");
  check_pair(map, "encoder.model.10.conv_block.6.weight", "model.10.conv_block.5.weight");
  BOOST_TEST((map.norms_of("model.10.conv_block.5.bias") == Names{"model.10.conv_block.6"}));
  check_ignored(map, {"model.10.conv_block.6.running_mean"});
}

BOOST_AUTO_TEST_CASE(the_thesis_numbers_its_decoders_in_the_order_of_the_tasks) {
  const auto resnet = maps::thesis_resnet({"deblur", "dehaze", "derain"});
  check_pair(resnet, "encoder.model.1.weight", "encoder.model.1.weight");
  check_pair(resnet, "decoder.deblur.model.0.weight", "decoder0.model.0.weight");
  check_pair(resnet, "decoder.derain.model.7.bias", "decoder2.model.7.bias");
  BOOST_TEST(!resnet.own("decoder3.model.7.bias").has_value());
  check_ignored(resnet, {"encoder.model.2.running_mean", "decoder1.model.1.num_batches_tracked"});
  BOOST_TEST(resnet.norms_of("decoder1.model.7.bias").empty());

  const auto fpn = maps::thesis_fpn_inception({"dehaze", "deblur"});
  check_pair(fpn, "encoder.fpn.lateral0.weight", "encoder.fpn.lateral0.weight");
  check_pair(fpn, "encoder.head4.block1.weight", "encoder.head4.block1.weight");
  check_pair(fpn, "decoder.dehaze.smooth.0.weight", "decoder0.smooth.0.weight");
  check_pair(fpn, "decoder.deblur.final.bias", "decoder1.final.bias");
  check_ignored(fpn, {"encoder.fpn.inception.block8.conv2d.weight",
                      "encoder.fpn.enc3.1.4.conv2d.weight", "decoder1.smooth2.1.running_var"});
  BOOST_TEST(limpid_test::throws_value_error(
      [] { maps::thesis_resnet({}); },
      "NameMap: expected at least one task, in the order of the file"));
}

BOOST_AUTO_TEST_CASE(deblurgan_v2s_fpn_is_one_module_that_holds_its_backbone_twice) {
  const auto map = maps::deblurgan_v2_fpn_inception("deblur");
  check_pair(map, "encoder.fpn.inception.conv2d_1a.conv.weight",
             "fpn.inception.conv2d_1a.conv.weight");
  check_pair(map, "encoder.fpn.td1.0.bias", "fpn.td1.0.bias");
  check_pair(map, "encoder.head1.block0.weight", "head1.block0.weight");
  check_pair(map, "decoder.deblur.smooth2.0.bias", "smooth2.0.bias");
  check_pair(map, "decoder.deblur.final.weight", "final.weight");
  check_ignored(map, {"fpn.enc0.bn.running_mean", "fpn.enc4.1.branch0.0.conv.weight",
                      "fpn.td2.1.running_mean", "smooth.1.num_batches_tracked",
                      "fpn.inception.last_linear.bias"});
  const auto copies_of = [&](const std::string& name) {
    return map.duplicates_of("fpn.inception." + name);
  };
  BOOST_TEST((copies_of("conv2d_1a.conv.weight") == Names{"fpn.enc0.conv.weight"}));
  BOOST_TEST((copies_of("repeat.3.conv2d.bias") == Names{"fpn.enc3.1.3.conv2d.bias"}));
  BOOST_TEST((copies_of("repeat_1.3.conv2d.bias") == Names{"fpn.enc4.0.3.conv2d.bias"}));
  BOOST_TEST(map.may_lack("encoder.fpn.inception.conv2d_1a.bn.num_batches_tracked"));
  BOOST_TEST(!map.may_lack("encoder.fpn.inception.conv2d_1a.bn.running_mean"));
}

BOOST_AUTO_TEST_CASE(mobilenet_has_nested_names_and_flat_ones) {
  const auto flat = maps::deblurgan_v2_mobilenet_v2();
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"features.0.0.weight", "features.0.0.weight"},
      {"features.1.conv.0.0.weight", "features.1.conv.0.weight"},
      {"features.1.conv.0.1.running_mean", "features.1.conv.1.running_mean"},
      {"features.1.conv.1.weight", "features.1.conv.3.weight"},
      {"features.1.conv.2.bias", "features.1.conv.4.bias"},
      {"features.2.conv.0.0.weight", "features.2.conv.0.weight"},
      {"features.9.conv.0.1.weight", "features.9.conv.1.weight"},
      {"features.17.conv.1.0.weight", "features.17.conv.3.weight"},
      {"features.2.conv.1.1.weight", "features.2.conv.4.weight"},
      {"features.2.conv.2.weight", "features.2.conv.6.weight"},
      {"features.2.conv.3.weight", "features.2.conv.7.weight"},
      {"features.18.1.weight", "features.18.1.weight"}};
  const auto fpn = maps::deblurgan_v2_fpn_mobilenet("deblur");
  for (const auto& [nested, published] : pairs) {
    check_pair(maps::torchvision_mobilenet_v2(), nested, nested);
    check_pair(flat, nested, published);
    check_pair(fpn, "encoder.fpn.mobilenet." + nested, "fpn." + published);
  }
  check_pair(fpn, "encoder.fpn.td3.0.weight", "fpn.td3.0.weight");
  check_ignored(maps::torchvision_mobilenet_v2(), {"classifier.1.weight", "features.18.0.weight"});
  check_ignored(fpn,
                {"fpn.enc4.4.conv.7.bias", "fpn.features.16.conv.0.weight", "fpn.enc0.0.0.weight"});
  BOOST_TEST(
      (fpn.duplicates_of("fpn.features.1.conv.3.weight") == Names{"fpn.enc0.1.conv.3.weight"}));
  BOOST_TEST(
      (fpn.duplicates_of("fpn.features.15.conv.0.weight") == Names{"fpn.enc4.4.conv.0.weight"}));
  BOOST_TEST(fpn.duplicates_of("fpn.features.16.conv.0.weight").empty());
}

BOOST_AUTO_TEST_CASE(densenet_has_the_names_of_its_file_and_those_of_its_module) {
  const std::string own = "features.denseblock4.denselayer16.";
  check_pair(maps::torchvision_densenet121_file(), own + "norm1.weight", own + "norm.1.weight");
  check_pair(maps::torchvision_densenet121_file(), own + "conv2.weight", own + "conv.2.weight");
  check_pair(maps::torchvision_densenet121_file(), "features.norm5.bias", "features.norm5.bias");
  check_pair(maps::torchvision_densenet121(), own + "norm1.weight", own + "norm1.weight");
  const auto fpn = maps::deblurgan_v2_fpn_densenet("deblur");
  check_pair(fpn, "encoder.fpn.densenet." + own + "norm1.weight", "fpn." + own + "norm1.weight");
  check_pair(fpn, "encoder.fpn.lateral0.weight", "fpn.lateral0.weight");
  check_pair(fpn, "decoder.deblur.smooth.1.running_var", "smooth.1.running_var");
  check_ignored(fpn, {"fpn.enc0.0.weight", "fpn.enc4.denselayer16.conv1.weight", "fpn.norm.bias",
                      "fpn.tr3.conv.weight"});
  BOOST_TEST(
      (fpn.duplicates_of("fpn.features.transition2.norm.bias") == Names{"fpn.tr2.norm.bias"}));
}

BOOST_AUTO_TEST_CASE(nafnet_is_split_by_its_parts) {
  const auto map = maps::nafnet("denoise");
  check_pair(map, "encoder.intro.weight", "intro.weight");
  check_pair(map, "encoder.encoders.0.0.beta", "encoders.0.0.beta");
  check_pair(map, "decoder.denoise.decoders.0.0.norm1.weight", "decoders.0.0.norm1.weight");
  check_pair(map, "decoder.denoise.ups.3.0.weight", "ups.3.0.weight");
}

BOOST_AUTO_TEST_CASE(restormer_is_split_by_its_parts) {
  const auto map = maps::restormer("deblur");
  for (const std::string name : {"patch_embed.proj.weight", "encoder_level3.5.ffn.dwconv.weight",
                                 "down2_3.body.0.weight", "latent.7.norm1.body.bias"}) {
    check_pair(map, "encoder." + name, name);
  }
  for (const std::string name :
       {"up4_3.body.0.weight", "reduce_chan_level2.weight", "decoder_level1.0.attn.temperature",
        "refinement.3.norm2.body.weight", "output.weight"}) {
    check_pair(map, "decoder.deblur." + name, name);
  }
}

BOOST_AUTO_TEST_CASE(gunet_counts_the_stages_of_its_decoder_on) {
  const auto map = maps::gunet("dehaze");
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"encoder.inconv.bias", "inconv.proj.bias"},
      {"encoder.layers.3.1.norm.running_mean", "layers.3.blocks.1.norm.running_mean"},
      {"encoder.layers.0.0.Wv.1.weight", "layers.0.blocks.0.conv.Wv.1.weight"},
      {"encoder.downs.2.weight", "downs.2.proj.weight"},
      {"encoder.skips.0.bias", "skips.0.bias"},
      {"decoder.dehaze.layers.0.5.proj.bias", "layers.4.blocks.5.conv.proj.bias"},
      {"decoder.dehaze.layers.2.0.norm.weight", "layers.6.blocks.0.norm.weight"},
      {"decoder.dehaze.ups.1.0.weight", "ups.1.proj.0.weight"},
      {"decoder.dehaze.fusions.0.mlp.3.weight", "fusions.0.mlp.3.weight"},
      {"decoder.dehaze.outconv.weight", "outconv.proj.0.weight"}};
  for (const auto& [own, published] : pairs) check_pair(map, own, published);
  BOOST_TEST(map.may_lack("encoder.layers.0.0.norm.num_batches_tracked"));
}

BOOST_AUTO_TEST_CASE(the_files_of_imagenet_networks_have_a_classifier_that_is_ignored) {
  const auto vgg = maps::torchvision_vgg19();
  check_pair(vgg, "features.34.bias", "features.34.bias");
  check_ignored(vgg, {"classifier.6.weight", "features.28.weight"});
  BOOST_TEST(!vgg.ignores("features.1.weight"));
  const auto inception = maps::pretrainedmodels_inception_resnet_v2();
  check_pair(inception, "repeat.0.branch0.conv.weight", "repeat.0.branch0.conv.weight");
  check_ignored(inception, {"last_linear.weight", "repeat_2.8.conv2d.bias", "conv2d_7b.bn.weight"});
  check_ignored(maps::timm_inception_resnet_v2(), {"classif.weight"});
  check_ignored(maps::torchvision_resnet34(), {"fc.weight"});
  check_ignored(maps::torchvision_densenet121_file(), {"classifier.bias"});
  check_ignored(maps::pretrainedmodels_se_resnext50(), {"last_linear.weight"});
}

BOOST_AUTO_TEST_CASE(programs_call_maps_by_name) {
  check_pair(limpid::name_map("thesis-resnet", {"a", "b"}), "decoder.b.model.0.weight",
             "decoder1.model.0.weight");
  check_pair(limpid::name_map("deblurgan-resnet", {"a"}, {.blocks = 1}), "decoder.a.model.0.weight",
             "model.11.weight");
  limpid::kPublishedMaps.for_each([](const auto& map) {
    const auto names = limpid::name_map(map.name);
    BOOST_TEST((names.published("encoder.model.1.weight").has_value() ||
                names.published("encoder.fpn.lateral0.weight").has_value() ||
                names.published("encoder.intro.weight").has_value() ||
                names.published("encoder.patch_embed.proj.weight").has_value() ||
                names.published("encoder.inconv.weight").has_value() ||
                names.published("features.0.weight").has_value()));
  });
  BOOST_TEST(limpid_test::throws_value_error(
      [] {
        limpid::name_map("nafnet", {"a", "b"});
      },
      "name_map: 'nafnet' has one task, got 2 (a, b)"));
  BOOST_TEST(limpid_test::throws_value_error([] { limpid::name_map("nafnett"); },
                                             "expected a map, one of " +
                                                 limpid::kPublishedMaps.list() +
                                                 "; got 'nafnett', did you mean 'nafnet'?"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
