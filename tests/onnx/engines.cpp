#include <limpid/onnx/engines.hpp>

#include <limpid/inference/any_restorer.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::error_of;

AnyModel scrambled(const std::string& network) {
  torch::manual_seed(5);
  auto model = make_model(parse_network(network), {"deblur", "night"});
  const torch::NoGradGuard no_grad;
  for (auto& [name, parameter] : model.parameters) {
    parameter.add_(0.05 * torch::randn_like(parameter));
  }
  model.module->eval();
  return model;
}

Image noise(std::int64_t height, std::int64_t width) {
  torch::manual_seed(7);
  return Image::from_unit(torch::rand({3, height, width}));
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

/// An engine that makes the negative of a picture, whatever the network; bytes that it was given
/// are in `handed`.
std::vector<std::string> handed;
RunGraph negative(const std::string& onnx, const std::string&, const EngineOptions&) {
  handed.push_back(onnx);
  return [](const at::Tensor& unit) { return 1 - unit; };
}
constexpr Engine kNegative{"the negative", "", &negative};

BOOST_AUTO_TEST_SUITE(graph_engines)

BOOST_AUTO_TEST_CASE(a_model_in_an_engine_is_limpids_but_for_what_computes_it) {
  if (!kWritesONNX) {
    std::puts("SKIPPED: this build writes no ONNX");
    return;
  }
  handed.clear();
  const auto model = scrambled("pixel-unet:width=8");
  const AnyRestorer own{model}, other{in_engine(model, kNegative)};
  const auto photo = noise(45, 70);
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(distance(other.restore_unit("night", photo), 1 - photo.unit()) < 1e-6);
  }
  BOOST_REQUIRE_EQUAL(handed.size(), 1u);  // the other task was not asked for
  BOOST_TEST(handed[0].find("night") != std::string::npos);
  BOOST_TEST(handed[0].find("Clip") == std::string::npos);
  BOOST_TEST(other.cost("night").bytes_per_pixel == own.cost("night").bytes_per_pixel);
  const AnyRestorer tiles{in_engine(model, kNegative), {.tiling = {.tile = 32}, .ensemble = 8}};
  BOOST_TEST(distance(tiles.restore_unit("deblur", photo), 1 - photo.unit()) < 1e-6);
  const AnyRestorer half{in_engine(model, kNegative), {.strength = 0.5}};
  BOOST_TEST(distance(half.restore_unit("deblur", photo), at::full({1}, 0.5)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(what_looks_at_the_whole_picture_is_refused_in_tiles) {
  if (!kWritesONNX) return;
  const AnyRestorer tiles{in_engine(scrambled("resnet:width=4,blocks=2"), kNegative),
                          {.tiling = {.tile = 32}}};
  const auto error = error_of([&] { tiles.restore("night", noise(100, 100)); });
  BOOST_TEST(error.find("got 100 x 100 pixels in tiles of 32") != error.npos, error);
  BOOST_TEST(error.find("looks at the whole picture") != error.npos, error);
  BOOST_CHECK_NO_THROW(tiles.restore("night", noise(20, 30)));  // one tile is the whole
}

BOOST_AUTO_TEST_CASE(an_engine_that_is_not_there_says_how_to_get_it) {
  const auto model = scrambled("pixel-unet:width=8");
  const auto none = error_of([&] { in_engine(model, Engine{"Abacus", "carve beads"}); });
  BOOST_TEST(none ==
             "this limpid was built without Abacus; to have it: carve beads, and build again");
  BOOST_CHECK_THROW(in_engine(model, "abacus"), c10::ValueError);
  BOOST_CHECK(!in_engine(model, "limpid").own_restore);
  kEngines.for_each([&](const auto& entry) {
    const Engine& engine = entry.value;
    if (engine.is_own() || engine.ready != nullptr) return;
    BOOST_CHECK_THROW(in_engine(model, entry.name), c10::Error);
  });
}

BOOST_AUTO_TEST_CASE(engines_that_are_there_restore_as_limpid_does_to_1e_4) {
  kEngines.for_each([&](const auto& entry) {
    const Engine& engine = entry.value;
    if (engine.is_own()) return;
    if (engine.ready == nullptr || !kWritesONNX) {
      std::printf("SKIPPED: this build has no %s\n", std::string{engine.called}.c_str());
      return;
    }
    for (const std::string network : {"pixel-unet:width=8", "nafnet:width=8,blocks=[1,1]"}) {
      const auto model = scrambled(network);
      const auto same = [&](const Image& photo, RestorerOptions options) {
        const AnyRestorer own{model, options}, other{in_engine(model, engine, {1}), options};
        const auto off =
            distance(own.restore_unit("night", photo), other.restore_unit("night", photo));
        BOOST_TEST(off < 1e-4, entry.name << ", " << network << ": " << off);
      };
      for (const auto& [height, width] : {std::pair{64, 96}, {61, 83}, {9, 131}, {2, 3}}) {
        same(noise(height, width), {});
      }
      same(noise(61, 83), {.ensemble = 8, .strength = 0.7});
      if (network.starts_with("pixel")) same(noise(100, 90), {.tiling = {.tile = 32}});
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
