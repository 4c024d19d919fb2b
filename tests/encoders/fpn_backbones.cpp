#include <limpid/backbones/densenet121.hpp>
#include <limpid/backbones/resnet34.hpp>
#include <limpid/backbones/se_resnext50.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/layers/upsample_nearest.hpp>
#include <limpid/weights/load_pretrained.hpp>
#include <limpid/weights/save_weights.hpp>
#include <support/errors.hpp>
#include <support/networks.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

// What an FPN over each of three backbones does, in few lines for each.
namespace {

using namespace limpid;
using limpid_test::TemporaryFolder;

using Deblur = FPNDecoder<"deblur">;

static_assert(ModuleOf<FPNEncoder<ResNet34>>::architecture == "fpn-resnet34");
static_assert(ModuleOf<FPNEncoder<DenseNet121>>::architecture == "fpn-densenet121");
static_assert(ModuleOf<FPNEncoder<SEResNeXt50>>::architecture == "fpn-se-resnext50");

template <Backbone B>
FPNEncoder<B> narrow() {
  FPNEncoderOptions<B> options{.pyramid_width = 16, .head_width = 8};
  options.backbone.width = 0.0625;
  if constexpr (requires { options.backbone.layers; }) {
    options.backbone.layers = {1, 2, 1, 1};
  } else {
    options.backbone.blocks = {1, 2, 1, 1};
  }
  return FPNEncoder<B>{options};
}

/// The error falls in a training from random weights, on batches of one.
template <Backbone B>
void check_learns() {
  torch::manual_seed(0);
  auto encoder = narrow<B>();
  Deblur decoder{FPNDecoderOptions{.width = 8}};
  encoder->train();
  auto parameters = encoder->parameters();
  for (const auto& parameter : decoder->parameters()) parameters.push_back(parameter);
  torch::optim::Adam adam{parameters, torch::optim::AdamOptions(4e-3)};
  const auto sharp = upsample_nearest(torch::rand({1, 3, 8, 8}) * 2 - 1, 8);
  const auto degraded = 0.5 * sharp + 0.2;
  const auto loss = [&] {
    return (limpid_test::restore(encoder, decoder, degraded) - sharp).abs().mean();
  };
  const auto first = loss().template item<double>();
  for (int step = 0; step < 40; ++step) {
    adam.zero_grad();
    loss().backward();
    adam.step();
  }
  const auto last = loss().template item<double>();
  BOOST_TEST_MESSAGE(ModuleOf<B>::architecture << ": mean error " << first << " -> " << last);
  BOOST_TEST(last < 0.6 * first);
}

/// The backbone is the part that a trainer freezes, and keeps its statistics while training.
template <Backbone B>
void check_pretrained_part() {
  torch::manual_seed(0);
  auto encoder = narrow<B>();
  BOOST_TEST(&encoder->pretrained() == encoder->backbone().get());
  const auto statistics = [&] {
    double sum = 0;
    for (const auto& buffer : encoder->buffers()) sum += buffer.sum().template item<double>();
    return sum;
  };
  const auto before = statistics();
  encoder->train();
  const auto image = torch::rand({2, 3, 64, 64}) * 2 - 1;
  const auto trained = encoder->forward(image).maps[4];
  BOOST_TEST(statistics() == before);
  encoder->eval();
  BOOST_TEST(torch::equal(encoder->forward(image).maps[4], trained));
}

/// Statistics that differ from those a network starts with, and every weight.
template <class E>
E disturbed(E encoder) {
  torch::NoGradGuard no_grad;
  limpid_test::disturb(*encoder);
  for (auto& buffer : encoder->buffers()) {
    if (buffer.is_floating_point()) buffer.add_(torch::rand_like(buffer));
  }
  return encoder;
}

/// A file under the names of `map`, with a classifier, fills the backbone and nothing else.
template <Backbone B>
void check_loads(const NameMap& map, const std::string& classifier) {
  const TemporaryFolder folder;
  auto saved = disturbed(narrow<B>());
  auto file = publish(weights_of(saved->backbone()), map);
  file.tensors[classifier + ".weight"] = torch::zeros({4, 4});
  std::erase_if(file.tensors, [](const auto& item) {  // as files of 2017
    return item.first.ends_with("num_batches_tracked");
  });
  write_safetensors(folder / "w", file);
  auto encoder = narrow<B>();
  const auto lateral = encoder->named_parameters()["fpn.lateral0.weight"].clone();
  const auto report = load_pretrained(encoder, folder / "w");
  BOOST_TEST(report.complete());
  BOOST_TEST(report.ignored.size() == 1U);
  BOOST_TEST(encoder->named_parameters()["fpn.lateral0.weight"].equal(lateral));
  const auto loaded = weights_of(encoder->backbone());
  for (const auto& [name, tensor] : weights_of(saved->backbone())) {
    if (!tensor.is_floating_point()) continue;
    const auto found = std::find_if(loaded.begin(), loaded.end(),
                                    [&](const auto& item) { return item.first == name; });
    BOOST_TEST(found->second.equal(tensor), name);
  }
}

BOOST_AUTO_TEST_SUITE(fpn_over_other_backbones)

BOOST_AUTO_TEST_CASE(each_does_what_every_encoder_does) {
  limpid_test::check_encoder(narrow<ResNet34>(), "FPNEncoder");
  limpid_test::check_encoder(narrow<DenseNet121>(), "FPNEncoder");
  limpid_test::check_encoder(narrow<SEResNeXt50>(), "FPNEncoder");
}

BOOST_AUTO_TEST_CASE(each_learns_with_a_decoder_from_random_weights) {
  check_learns<ResNet34>();
  check_learns<DenseNet121>();
  check_learns<SEResNeXt50>();
}

BOOST_AUTO_TEST_CASE(each_keeps_its_running_statistics_and_can_be_frozen) {
  check_pretrained_part<ResNet34>();
  check_pretrained_part<DenseNet121>();
  check_pretrained_part<SEResNeXt50>();
}

BOOST_AUTO_TEST_CASE(each_loads_its_imagenet_file) {
  check_loads<ResNet34>(maps::torchvision_resnet34(), "fc");
  check_loads<DenseNet121>(maps::torchvision_densenet121_file(), "classifier");
  check_loads<DenseNet121>(maps::torchvision_densenet121(), "classifier");
  check_loads<SEResNeXt50>(maps::pretrainedmodels_se_resnext50(), "last_linear");
}

BOOST_AUTO_TEST_CASE(a_whole_generator_of_deblurgan_v2_gives_its_backbone_too) {
  const TemporaryFolder folder;
  auto saved = disturbed(narrow<DenseNet121>());
  const Deblur decoder{FPNDecoderOptions{.width = 8, .norm = NormKind::batch}};
  const auto weights = weights_of_pair(saved, decoder, "deblur");
  const auto names = maps::deblurgan_v2_fpn_densenet();
  const auto file = publish(weights, names, {.for_published_code = true});
  BOOST_TEST(file.tensors.size() == weights.size() + weights_of(saved->backbone()).size(),
             "the backbone twice, all else once");
  BOOST_TEST(file.tensors.count("fpn.enc2.denselayer2.norm1.weight") == 1U);
  BOOST_TEST(file.tensors.count("smooth.1.running_var") == 1U);
  write_safetensors(folder / "w", file);
  auto encoder = narrow<DenseNet121>();
  load_pretrained(encoder, folder / "w");
  const auto image = torch::rand({1, 3, 32, 32});
  saved->eval();
  encoder->eval();
  BOOST_TEST(
      torch::equal(encoder->backbone()->forward(image)[4], saved->backbone()->forward(image)[4]));
}

BOOST_AUTO_TEST_CASE(a_file_of_another_backbone_says_what_was_expected) {
  const TemporaryFolder folder;
  write_safetensors(folder / "w", publish(weights_of(narrow<ResNet34>()->backbone()), {}));
  const auto encoder = narrow<SEResNeXt50>();
  const auto text = limpid_test::error_of([&] { load_pretrained(encoder, folder / "w"); });
  BOOST_TEST(
      text.ends_with("; expected pretrainedmodels' se_resnext50_32x4d as .pth or safetensors"),
      text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
