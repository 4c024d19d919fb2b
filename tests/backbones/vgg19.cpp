#include <limpid/backbones/imagenet.hpp>
#include <limpid/backbones/vgg19.hpp>
#include <limpid/io/safetensors.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <unistd.h>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace limpid;
using limpid_test::error_of, limpid_test::Fixture;

static_assert(!std::default_initializable<VGG19>, "no random weights by accident");
static_assert(!std::constructible_from<VGG19, VGG19Options>);

/// A folder of its own that goes with the test.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("limpid_vgg19_" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

TensorFile weights_of(const VGG19& vgg) {
  TensorFile file;
  for (const auto& item : vgg->named_parameters()) file.tensors[item.key()] = item.value();
  return file;
}

std::string text_of_loading(const std::filesystem::path& path, const std::string& deepest) {
  return error_of([&] { load_vgg19(path, {.deepest = deepest}); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(vgg19)

BOOST_AUTO_TEST_CASE(its_maps_are_those_of_an_independent_implementation) {
  if (!Fixture::available("content")) return;
  const Fixture fixture{"content"};
  auto vgg = VGG19::random_for_benchmark({.deepest = "conv3_3"});
  fixture.fill(*vgg, "vgg");
  const auto image = to_imagenet(fixture.input("restored", {2, 3, 64, 64}));
  for (const std::string layer : {"conv3_3", "relu3_3"}) {
    const auto map = vgg->forward_to(image, layer);
    BOOST_TEST(map.sizes() == (at::IntArrayRef{2, 256, 16, 16}));
    BOOST_TEST(limpid_test::relative_difference(map.slice(1, 0, 256, 16), fixture.at(layer)) <
               limpid_test::kForwardAgreement);
  }
}

BOOST_AUTO_TEST_CASE(its_layers_and_names_are_torchvisions) {
  auto vgg = VGG19::random_for_benchmark();
  const auto names = vgg->named_parameters().keys();
  BOOST_TEST(names.size() == 32u);
  std::string weights;
  for (const auto& name : names) {
    if (name.ends_with(".weight")) weights += name.substr(9, name.size() - 16) + " ";
  }
  BOOST_TEST(weights == "0 2 5 7 10 12 14 16 19 21 23 25 28 30 32 34 ");

  const auto image = torch::rand({1, 3, 37, 48});
  BOOST_TEST(vgg->forward_to(image, "relu1_1").sizes() == (at::IntArrayRef{1, 64, 37, 48}));
  BOOST_TEST(vgg->forward_to(image, "conv2_2").sizes() == (at::IntArrayRef{1, 128, 18, 24}));
  BOOST_TEST(vgg->forward_to(image, "conv5_4").sizes() == (at::IntArrayRef{1, 512, 2, 3}));
  BOOST_TEST(vgg->forward_to(image, "relu1_1").min().item<double>() == 0.0);
  BOOST_TEST(vgg->forward_to(image, "conv1_1").min().item<double>() < 0.0);
}

BOOST_AUTO_TEST_CASE(only_what_the_deepest_layer_needs_is_built) {
  BOOST_TEST(VGG19::random_for_benchmark({.deepest = "conv1_1"})->parameters().size() == 2u);
  BOOST_TEST(VGG19::random_for_benchmark({.deepest = "relu3_3"})->parameters().size() == 14u);
}

BOOST_AUTO_TEST_CASE(a_forward_pass_leaves_its_input_alone) {
  auto vgg = VGG19::random_for_benchmark({.deepest = "conv1_2"});
  const auto image = torch::rand({1, 3, 8, 8}) - 0.5;
  const auto before = image.clone();
  vgg->forward_to(image, "relu1_2");
  BOOST_TEST(image.equal(before));
}

BOOST_AUTO_TEST_CASE(a_clone_owns_its_weights) {
  auto vgg = VGG19::random_for_benchmark({.deepest = "conv1_2"});
  auto clone = VGG19{std::dynamic_pointer_cast<VGG19Impl>(vgg->clone())};
  const auto image = torch::rand({1, 3, 8, 8});
  const auto expected = vgg->forward_to(image, "conv1_2");
  {
    torch::NoGradGuard no_grad;
    for (auto& parameter : vgg->parameters()) parameter.zero_();
  }
  BOOST_TEST(clone->forward_to(image, "conv1_2").equal(expected));
}

BOOST_AUTO_TEST_CASE(layers_that_are_not_there_are_refused) {
  auto vgg = VGG19::random_for_benchmark({.deepest = "conv2_1"});
  const auto image = torch::zeros({1, 3, 8, 8});
  for (const std::string layer : {"conv3_5", "conv0_1", "conv6_1", "conv2_0", "conv1_3", "pool1",
                                  "conv", "", "conv3-3", "conv3_33"}) {
    BOOST_TEST(error_of([&] { vgg->forward_to(image, layer); }) ==
               "VGG19: expected a layer convI_J or reluI_J, conv1_1 to relu5_4, got '" + layer +
                   "'");
  }
  BOOST_TEST(error_of([&] { vgg->forward_to(image, "relu2_2"); }) ==
             "VGG19: expected a layer no deeper than conv2_1, got 'relu2_2'");
  BOOST_TEST(error_of([&] {
               vgg->forward_to(torch::zeros({1, 3, 8, 1}), "conv2_1");
             }) == "VGG19: expected sides of at least 2 pixels, got [1, 3, 8, 1]");
}

BOOST_AUTO_TEST_CASE(weights_come_back_from_a_file_that_has_more_than_is_needed) {
  const Folder folder;
  const auto path = folder.path / "vgg19.safetensors";
  const auto saved = VGG19::random_for_benchmark({.deepest = "conv3_1"});
  auto file = weights_of(saved);
  file.tensors["classifier.0.weight"] = torch::zeros({2, 2});
  file.tensors["features.0.weight"] = file.tensors["features.0.weight"].to(torch::kDouble);
  write_safetensors(path, file);

  const auto loaded = load_vgg19(path, {.deepest = "conv2_1"});
  const auto image = torch::rand({1, 3, 8, 8});
  BOOST_TEST(loaded->parameters().size() == 6u);
  BOOST_TEST(loaded->forward_to(image, "conv2_1").equal(saved->forward_to(image, "conv2_1")));
  for (const auto& parameter : loaded->parameters()) BOOST_TEST(!parameter.requires_grad());
}

BOOST_AUTO_TEST_CASE(weights_are_found_in_any_file_that_has_them) {
  const Folder folder;
  const auto path = folder.path / "vgg19.safetensors";
  const auto saved = weights_of(VGG19::random_for_benchmark({.deepest = "conv2_1"}));
  for (const std::string prefix : {"state_dict.perceptual.vgg.", "module.", ""}) {
    for (const bool is_sequence : {false, true}) {  // of `vgg.features` alone: "0.weight"
      TensorFile file;
      for (const auto& [name, tensor] : saved.tensors) {
        file.tensors[prefix + (is_sequence ? name.substr(std::string{"features."}.size()) : name)] =
            tensor;
      }
      if (!prefix.empty()) file.tensors["generator.conv.weight"] = torch::zeros({2, 2});
      write_safetensors(path, file);
      const auto loaded = weights_of(load_vgg19(path, {.deepest = "conv1_2"}));
      for (const auto& [name, tensor] : loaded.tensors) {
        BOOST_TEST(tensor.equal(saved.tensors.at(name)), prefix << name);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_does_not_fit_is_refused_by_names) {
  const Folder folder;
  const auto path = folder.path / "vgg19.safetensors";
  auto file = weights_of(VGG19::random_for_benchmark({.deepest = "conv1_2"}));
  file.tensors.erase("features.0.bias");
  file.tensors["features.2.weight"] = torch::zeros({64, 3, 3, 3});
  file.tensors["features.2.bias"] = torch::zeros({64}, torch::kLong);
  file.tensors["features.1.weight"] = torch::zeros({64});
  write_safetensors(path, file);
  const auto text = text_of_loading(path, "conv1_2");
  const auto expected =
      "VGG19: weights '" + path.string() +
      "': its tensors do not fit; missing: features.0.bias; mis-shaped: features.2.bias (expected "
      "Float [64], found Long [64]), features.2.weight (expected Float [64, 64, 3, 3], found Float "
      "[64, 3, 3, 3]); unexpected: features.1.weight; " +
      std::string{kVGG19Source};
  BOOST_TEST(text == expected);
}

BOOST_AUTO_TEST_CASE(without_a_file_the_error_says_where_one_comes_from) {
  const auto text = text_of_loading("/nowhere/vgg19.safetensors", "conv3_3");
  BOOST_TEST(text ==
             "VGG19: no weights at '/nowhere/vgg19.safetensors'; " + std::string{kVGG19Source});
  BOOST_TEST(kVGG19Source.find("vgg19-dcbb9e9d.pth") != std::string_view::npos);
  BOOST_TEST(kVGG19Source.find("quickstart") != std::string_view::npos);
}

BOOST_AUTO_TEST_CASE(a_file_that_holds_no_tensors_is_named_and_the_text_says_where_one_comes_from) {
  const Folder folder;
  const auto path = folder.path / "vgg19.pth";
  std::ofstream{path} << "PK, and so on: a zip file that is none";
  const auto text = text_of_loading(path, "conv3_3");
  BOOST_TEST((text.find(path.string()) != std::string::npos), text);
  BOOST_TEST((text.find(std::string{kVGG19Source}) != std::string::npos), text);
}

BOOST_AUTO_TEST_CASE(imagenet_normalisation_is_torchvisions) {
  const auto black = to_imagenet(torch::full({1, 3, 1, 1}, -1.0, torch::kDouble)).reshape(-1);
  const auto white = to_imagenet(torch::full({1, 3, 1, 1}, 1.0, torch::kDouble)).reshape(-1);
  for (int c = 0; c < 3; ++c) {
    const auto at = static_cast<std::size_t>(c);
    BOOST_TEST(std::abs(black[c].item<double>() + kImageNetMean[at] / kImageNetDeviation[at]) <
               1e-12);
    BOOST_TEST(std::abs(white[c].item<double>() -
                        (1 - kImageNetMean[at]) / kImageNetDeviation[at]) < 1e-12);
  }
  BOOST_TEST(error_of([] {
               to_imagenet(torch::zeros({3, 4, 4}));
             }) == "to_imagenet: expected image (N, 3, H, W), got [3, 4, 4]");
}

BOOST_AUTO_TEST_SUITE_END()
