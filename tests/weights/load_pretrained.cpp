#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/weights/load_pretrained.hpp>
#include <limpid/weights/save_weights.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::TemporaryFolder;

using Inception = FPNEncoder<InceptionResNetV2>;
using Mobile = FPNEncoder<MobileNetV2>;

Inception inception() {
  return Inception{
      FPNEncoderOptions<InceptionResNetV2>{.backbone = {.width = 0.05, .repeat = 2, .repeat_1 = 1},
                                           .pyramid_width = 8,
                                           .head_width = 4,
                                           .top_down_convs = true}};
}

Mobile mobile() {
  return Mobile{FPNEncoderOptions<MobileNetV2>{
      .backbone = {.width = 0.25}, .pyramid_width = 8, .head_width = 4, .top_down_convs = true}};
}

/// Statistics that differ from those a network starts with.
template <class E>
E disturbed(E encoder) {
  torch::NoGradGuard no_grad;
  for (auto& buffer : encoder->buffers()) {
    if (buffer.is_floating_point()) buffer.add_(torch::rand_like(buffer));
  }
  return encoder;
}

bool equal(const NamedTensors& a, const NamedTensors& b, bool counters = true) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const auto& x, const auto& y) {
    return x.first == y.first &&
           ((!counters && !x.second.is_floating_point()) || x.second.equal(y.second));
  });
}

using limpid_test::error_of;

BOOST_AUTO_TEST_SUITE(load_pretrained_backbones)

BOOST_AUTO_TEST_CASE(inceptions_imagenet_files_of_both_libraries) {
  const TemporaryFolder folder;
  auto saved = disturbed(inception());
  for (const std::string classifier : {"last_linear", "classif"}) {
    auto file =
        publish(weights_of(saved->backbone()), maps::pretrainedmodels_inception_resnet_v2());
    file.tensors[classifier + ".weight"] = torch::zeros({4, 4});
    file.tensors["repeat_2.0.conv2d.bias"] = torch::zeros({4});
    file.tensors["conv2d_7b.bn.weight"] = torch::zeros({4});
    std::erase_if(file.tensors, [](const auto& item) {  // as files of 2018
      return item.first.ends_with("num_batches_tracked");
    });
    write_safetensors(folder / "w", file);
    auto encoder = inception();
    const auto lateral = encoder->parameters().back().clone();
    const auto report = load_pretrained(encoder, folder / "w");
    BOOST_TEST(equal(weights_of(encoder->backbone()), weights_of(saved->backbone()), false));
    BOOST_TEST(encoder->parameters().back().equal(lateral));
    BOOST_TEST(report.complete());
    BOOST_TEST(report.ignored.size() == 3U);
  }
}

BOOST_AUTO_TEST_CASE(mobilenets_files_under_nested_and_flat_names) {
  const TemporaryFolder folder;
  auto saved = disturbed(mobile());
  for (const auto& names : {maps::torchvision_mobilenet_v2(), maps::deblurgan_v2_mobilenet_v2()}) {
    auto file = publish(weights_of(saved->backbone()), names);
    file.tensors["classifier.1.weight"] = torch::zeros({4, 4});
    file.tensors["features.18.0.weight"] = torch::zeros({4, 4});
    write_safetensors(folder / "w", file);
    auto encoder = mobile();
    load_pretrained(encoder, folder / "w");
    BOOST_TEST(equal(weights_of(encoder->backbone()), weights_of(saved->backbone())));
  }
}

BOOST_AUTO_TEST_CASE(whole_generators_give_their_backbone_too) {
  const TemporaryFolder folder;
  const FPNDecoder<"deblur"> decoder{FPNDecoderOptions{.width = 4}};
  auto first = disturbed(inception());
  for (const auto& names :
       {maps::deblurgan_v2_fpn_inception("deblur"), maps::thesis_fpn_inception({"deblur"})}) {
    auto file = publish(weights_of_pair(first, decoder, "deblur"), names);
    if (file.tensors.count("decoder0.final.bias") != 0) {  // of a second task
      file.tensors["decoder1.final.bias"] = torch::zeros({3});
    }
    write_safetensors(folder / "w", file);
    auto encoder = inception();
    load_pretrained(encoder, folder / "w");
    BOOST_TEST(equal(weights_of(encoder->backbone()), weights_of(first->backbone())));
  }
  auto second = disturbed(mobile());
  save_weights(weights_of_pair(second, decoder, "deblur"), folder / "w",
               maps::deblurgan_v2_fpn_mobilenet());
  auto encoder = mobile();
  load_pretrained(encoder, folder / "w");
  BOOST_TEST(equal(weights_of(encoder->backbone()), weights_of(second->backbone())));
}

BOOST_AUTO_TEST_CASE(whole_generators_come_back_with_what_published_code_keeps_beside) {
  auto saved = disturbed(inception());
  auto loaded = inception();
  const FPNDecoder<"deblur"> from{FPNDecoderOptions{.width = 4}}, to{FPNDecoderOptions{.width = 4}};
  const auto names = maps::deblurgan_v2_fpn_inception("deblur");
  const auto weights = weights_of_pair(saved, from, "deblur");
  const auto file = publish(weights, names, {.for_published_code = true});
  const auto backbone = weights_of(saved->backbone()).size();
  BOOST_TEST(file.tensors.size() == weights.size() + backbone + 3 * 5);  // td1-3, smooth, smooth2
  BOOST_TEST(file.tensors.count("fpn.enc3.1.0.branch0.conv.weight") == 1U);
  const auto target = weights_of_pair(loaded, to, "deblur");
  const auto report = load_weights(target, file, "weights 'x'", names);
  BOOST_TEST(equal(target, weights));
  BOOST_TEST(report.ignored.size() == backbone + 3 * 5);
}

BOOST_AUTO_TEST_CASE(a_file_that_does_not_fit_says_what_was_expected) {
  const TemporaryFolder folder;
  write_safetensors(folder / "w", publish(weights_of(mobile()->backbone()), {}));
  const auto encoder = inception();
  const auto text = error_of([&] { load_pretrained(encoder, folder / "w"); });
  BOOST_TEST((text.rfind("weights '" + (folder / "w").string() +
                             "': its tensors do not fit; missing: conv2d_1a.bn.bias, ",
                         0) == 0),
             text);
  BOOST_TEST(text.ends_with(
      "; expected pretrainedmodels' inceptionresnetv2 or timm's inception_resnet_v2 as .pth or "
      "safetensors"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
