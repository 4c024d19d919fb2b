#include <limpid/backbones/lpips_layers.hpp>
#include <limpid/backbones/lpips_network.hpp>
#include <limpid/io/safetensors.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <concepts>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::error_of, limpid_test::relative_difference, limpid_test::TemporaryFolder;
namespace fs = std::filesystem;

static_assert(!std::default_initializable<LPIPSNetwork>, "no random weights by accident");

constexpr LPIPSNet kNets[] = {LPIPSNet::alex, LPIPSNet::vgg, LPIPSNet::squeeze};

/// Its tensors as torchvision and the lpips package publish them.
TensorFile published(const LPIPSNetwork& network) {
  TensorFile file;
  for (const auto& item : network->named_parameters()) {
    const bool is_head = item.key().rfind("lin", 0) == 0;
    file.tensors[item.key() + (is_head ? ".model.1.weight" : "")] = item.value();
  }
  return file;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lpips_network)

BOOST_AUTO_TEST_CASE(each_layer_takes_what_the_layer_before_it_gives) {
  using Kind = limpid::detail::LPIPSLayer::Kind;
  for (const auto net : kNets) {
    std::int64_t channels = 3, place = -1;
    for (const auto& layer : limpid::detail::lpips_layers(net)) {
      BOOST_TEST_CONTEXT(lpips_name(net) << " " << layer.index) {
        BOOST_TEST(layer.index > place);
        if (layer.kind != Kind::pool) {
          BOOST_TEST(layer.in == channels);
          channels = layer.out;
        }
        place = layer.index;
      }
    }
    BOOST_TEST(channels == (net == LPIPSNet::alex ? 256 : 512));
  }
}

BOOST_AUTO_TEST_CASE(each_network_compares_the_published_maps) {
  struct Expected {
    LPIPSNet net;
    std::vector<std::int64_t> channels, heights;
  };
  torch::manual_seed(1);
  const auto image = torch::rand({1, 3, 64, 96}) * 2 - 1;
  for (const auto& [net, channels, heights] : std::vector<Expected>{
           {LPIPSNet::alex, {64, 192, 384, 256, 256}, {15, 7, 3, 3, 3}},
           {LPIPSNet::vgg, {64, 128, 256, 512, 512}, {64, 32, 16, 8, 4}},
           {LPIPSNet::squeeze, {64, 128, 256, 384, 384, 512, 512}, {31, 15, 7, 3, 3, 3, 3}}}) {
    const auto network = LPIPSNetwork::random_for_benchmark(net);
    const auto maps = network->forward(image);
    BOOST_REQUIRE(maps.size() == channels.size());
    for (std::size_t i = 0; i < maps.size(); ++i) {
      BOOST_TEST(maps[i].size(1) == channels[i]);
      BOOST_TEST(maps[i].size(2) == heights[i]);
      BOOST_TEST(maps[i].min().item<double>() == 0.0);
    }
    BOOST_TEST(network->distances(image, image).item<double>() == 0.0);
    BOOST_TEST(network->distances(image, -image).item<double>() > 0.01);
  }
}

BOOST_AUTO_TEST_CASE(sides_of_the_least_number_of_pixels_do_and_fewer_are_refused) {
  for (const auto net : kNets) {
    const auto network = LPIPSNetwork::random_for_benchmark(net);
    const auto least = network->min_side();
    const auto image = torch::rand({1, 3, least, least});
    BOOST_TEST(network->distances(image, 1 - image).isfinite().all().item<bool>());
    const auto narrow = torch::rand({1, 3, least, least - 1});
    BOOST_TEST(
        error_of([&] { network->forward(narrow); }) ==
        c10::str("LPIPS: expected sides of at least ", least, " pixels, got ", narrow.sizes()));
  }
}

BOOST_AUTO_TEST_CASE(a_clone_and_another_type_keep_the_distances) {
  torch::manual_seed(2);
  const auto restored = torch::rand({2, 3, 32, 40}), target = torch::rand({2, 3, 32, 40});
  auto network = LPIPSNetwork::random_for_benchmark(LPIPSNet::squeeze);
  const auto expected = network->distances(restored, target);
  BOOST_TEST(expected.sizes() == at::IntArrayRef{2});
  const LPIPSNetwork clone{std::dynamic_pointer_cast<LPIPSNetworkImpl>(network->clone())};
  BOOST_TEST(torch::equal(clone->distances(restored, target), expected));
  network->to(torch::kDouble);
  const auto exact = network->distances(restored.to(torch::kDouble), target.to(torch::kDouble));
  BOOST_TEST(relative_difference(exact, expected) < 1e-5);
  // LibTorch's clone unfreezes parameters: nothing may reach them all the same.
  const auto leaf = restored.clone().requires_grad_();
  clone->distances(leaf, target).sum().backward();
  BOOST_TEST(leaf.grad().isfinite().all().item<bool>());
  for (const auto& parameter : clone->parameters()) BOOST_TEST(!parameter.grad().defined());
}

BOOST_AUTO_TEST_CASE(published_files_are_read_and_what_does_not_fit_is_named) {
  const TemporaryFolder folder;
  torch::manual_seed(3);
  const auto saved = LPIPSNetwork::random_for_benchmark(LPIPSNet::squeeze);
  TensorFile backbone, heads;
  for (const auto& [name, tensor] : published(saved).tensors) {
    (name.rfind("lin", 0) == 0 ? heads : backbone).tensors[name] = tensor;
  }
  backbone.tensors["classifier.1.weight"] = torch::zeros({2, 2});
  write_safetensors(folder / "backbone.safetensors", backbone);
  write_safetensors(folder / "heads.safetensors", heads);
  const auto image = torch::rand({1, 3, 32, 32});
  const auto load = [&](LPIPSNet net, const char* first, const char* second) {
    return load_lpips(net, folder / first, folder / second);
  };
  const auto loaded = load(LPIPSNet::squeeze, "backbone.safetensors", "heads.safetensors");
  BOOST_TEST(torch::equal(loaded->distances(image, -image), saved->distances(image, -image)));

  const auto missing = error_of([&] { load(LPIPSNet::alex, "no.pth", "heads.safetensors"); });
  BOOST_TEST(missing == "LPIPS (alex): no weights at '" + (folder / "no.pth").string() +
                            "'; expected torchvision's alexnet weights, as it downloads them "
                            "(https://download.pytorch.org/models/alexnet-owt-7be5be79.pth) or as "
                            "safetensors");
  const auto other =
      error_of([&] { load(LPIPSNet::alex, "backbone.safetensors", "heads.safetensors"); });
  BOOST_TEST((other.find("features.10.bias") != std::string::npos), other);
  const auto swapped =
      error_of([&] { load(LPIPSNet::squeeze, "backbone.safetensors", "backbone.safetensors"); });
  BOOST_TEST((swapped.find("lin0.model.1.weight") != std::string::npos), swapped);
  BOOST_TEST((swapped.find("lpips/weights/v0.1/squeeze.pth") != std::string::npos), swapped);
}

BOOST_AUTO_TEST_SUITE_END()

/// What tests/weights/write_lpips.py wrote, and the distances it computed.
BOOST_AUTO_TEST_SUITE(lpips_from_python)

BOOST_AUTO_TEST_CASE(distances_and_gradients_are_those_of_pytorch) {
  const fs::path folder = limpid_test::folder_from("LIMPID_LPIPS_DIR", "no LIMPID_LPIPS_DIR");
  if (!limpid_test::available(folder)) return;
  for (const auto net : kNets) {
    const std::string name{limpid::detail::lpips_facts(net).name};
    const auto expected = read_safetensors(folder / (name + ".safetensors")).tensors;
    std::vector<LPIPSNetwork> networks{
        load_lpips(net, folder / (name + ".pth"), folder / (name + "_heads.pth"))};
    const auto whole = folder / (name + "_whole.pth");
    if (fs::exists(whole)) networks.push_back(load_lpips(net, whole, whole));
    BOOST_TEST((fs::exists(whole) || net == LPIPSNet::vgg));
    for (const auto& network : networks) {
      BOOST_TEST_CONTEXT(name) {
        const auto restored = expected.at("restored").clone().requires_grad_();
        const auto found = network->distances(restored, expected.at("target"));
        BOOST_TEST(relative_difference(found, expected.at("distances")) <
                   limpid_test::kForwardAgreement);
        found.mean().backward();
        BOOST_TEST(relative_difference(restored.grad(), expected.at("gradient")) <
                   limpid_test::kGradientAgreement);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
