#include <limpid/backbones/densenet121.hpp>
#include <limpid/backbones/resnet34.hpp>
#include <limpid/backbones/se_resnext50.hpp>
#include <limpid/critics/unet.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/weights/load_pretrained.hpp>
#include <limpid/weights/load_weights.hpp>
#include <support/fixtures.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

// Files that write_backbones.py writes with PyTorch, under published names.
namespace {

using namespace limpid;
using limpid_test::relative_difference;

/// The folder of the files; empty, with a line that says so, where no Python wrote them.
std::filesystem::path written() {
  const char* named = std::getenv("LIMPID_BACKBONES_DIR");
  if (named != nullptr && *named != '\0') return named;
  std::cout << "SKIPPED " << boost::unit_test::framework::current_test_case().full_name()
            << ": LIMPID_BACKBONES_DIR names no folder of write_backbones.py\n";
  return {};
}

template <Backbone B>
void check_backbone(const std::string& name, const typename ModuleOf<B>::Options& options) {
  const auto folder = written();
  if (folder.empty()) return;
  FPNEncoder<B> encoder{
      FPNEncoderOptions<B>{.backbone = options, .pyramid_width = 8, .head_width = 4}};
  BOOST_TEST(load_pretrained(encoder, folder / (name + ".pth")).complete());
  encoder->eval();
  torch::NoGradGuard no_grad;
  const auto expected = read_tensor_file(folder / (name + "_expected.pth"));
  const auto maps = encoder->backbone()->forward(expected.tensors.at("image"));
  for (std::size_t i = 0; i < maps.size(); ++i) {
    BOOST_TEST(relative_difference(maps[i], expected.tensors.at("map" + std::to_string(i))) < 1e-5,
               name << ", map " << i);
  }
}

BOOST_AUTO_TEST_SUITE(backbones_from_python)

BOOST_AUTO_TEST_CASE(imagenet_files_of_pytorch_give_the_maps_of_pytorch) {
  check_backbone<ResNet34>("resnet34", {.width = 0.0625, .blocks = {1, 2, 1, 1}});
  check_backbone<SEResNeXt50>("se_resnext50", {.width = 0.0625, .blocks = {1, 2, 1, 1}});
  for (const std::string name : {"densenet121", "densenet121_file"}) {
    check_backbone<DenseNet121>(name, {.width = 0.125, .layers = {1, 2, 1, 1}});
  }
}

BOOST_AUTO_TEST_CASE(a_unet_critic_trains_on_as_with_pytorchs_spectral_norm) {
  const auto folder = written();
  if (folder.empty()) return;
  UNetCritic critic{UNetCriticOptions{.width = 4}};
  load_weights(critic, folder / "unet_critic.pth");
  const auto expected = read_tensor_file(folder / "unet_critic_expected.pth").tensors;
  const auto image = expected.at("image");
  const auto check = [&](const at::Tensor& found, const std::string& name, double agreement) {
    const auto difference = relative_difference(found, expected.at(name));
    BOOST_TEST(difference < agreement, name << " differs by " << difference);
  };
  for (int step = 0; step < 3; ++step) {
    check(critic->forward(image), "scores" + std::to_string(step), 1e-5);
  }
  const auto leaf = image.clone().requires_grad_();
  const auto slope = torch::autograd::grad({critic->forward(leaf).sum()}, {leaf}, {},
                                           /*retain_graph=*/true, /*create_graph=*/true)[0];
  slope.square().sum().backward();
  check(slope, "slope", 1e-4);
  for (const std::string name : {"conv1.weight_orig", "conv4.weight_orig", "conv8.weight_orig"}) {
    check(critic->named_parameters()[name].grad(), "gradient." + name, 1e-3);
  }
  check(critic->named_buffers()["conv3.weight_u"], "vector", 1e-5);
  critic->eval();
  check(critic->forward(image), "scores_eval", 1e-5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
