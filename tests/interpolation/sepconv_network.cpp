#include <limpid/interpolation/interpolate.hpp>
#include <limpid/interpolation/sepconv_file.hpp>
#include <limpid/interpolation/sepconv_network.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::InterpolationOptions, limpid::SepConvNetwork, limpid::SepConvOptions,
    limpid::SepConvPadding;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

const SepConvOptions kTiny{.widths = {8, 12}, .taps = 5};

/// Whether `f` throws a c10::Error whose text holds every one of `parts`.
template <class F>
bool fails_with(F f, const std::vector<std::string>& parts) {
  try {
    f();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    for (const auto& part : parts) {
      BOOST_TEST((text.find(part) != std::string::npos), text);
    }
    return true;
  }
  return false;
}

/// Weights as limpid wrote them before they came in model files.
limpid::TensorFile older_file(const SepConvNetwork& network) {
  limpid::TensorFile file;
  for (const auto& item : network->named_parameters()) file.tensors[item.key()] = item.value();
  file.metadata["sepconv"] = nlohmann::json(network->options()).dump();
  return file;
}

BOOST_AUTO_TEST_SUITE(sepconv_network)

BOOST_AUTO_TEST_CASE(does_what_every_network_does) {
  torch::manual_seed(1);
  const auto first = torch::rand({2, 3, 8, 12}), second = torch::rand({2, 3, 8, 12});
  SepConvNetwork network{kTiny};
  limpid_test::disturb(*network);
  limpid_test::check_module(network, [&](SepConvNetwork& n) { return n->forward(first, second); });
}

BOOST_AUTO_TEST_CASE(gives_the_published_frames_as_they_are_and_with_both_paddings) {
  if (!Fixture::available("sepconv")) return;
  const Fixture fixture{"sepconv"};
  SepConvNetwork network;
  fixture.fill(*network, "sepconv");
  const auto shape = fixture.at("interpolated").sizes();
  const auto one = fixture.input("frame.one", shape), two = fixture.input("frame.two", shape);
  {
    const torch::NoGradGuard no_grad;
    const auto found = network->forward(one, two);
    const auto difference = relative_difference(found, fixture.at("interpolated"));
    BOOST_TEST_MESSAGE("sepconv interpolated: " << difference);
    BOOST_TEST(difference < limpid_test::kForwardAgreement);
    const auto kernels = network->kernels(one, two);
    const std::array names{"vertical1", "horizontal1", "vertical2", "horizontal2"};
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto every = kernels[i].slice(1, 0, 51, 25);
      BOOST_TEST(relative_difference(every, fixture.at(std::string{"kernel."} + names[i])) <
                 limpid_test::kForwardAgreement);
    }
  }
  for (const auto& [padding, name] :
       {std::pair{SepConvPadding::improved, "padded"}, {SepConvPadding::paper, "paper"}}) {
    // Values outside [0, 1] are clamped, so the comparison is of what is inside.
    const auto found = limpid::interpolate(network, one, two, {{.tile = 0}, padding});
    const auto expected = fixture.at(std::string{"interpolated."} + name);
    const auto difference = relative_difference(found, expected.clamp(0, 1));
    BOOST_TEST_MESSAGE("sepconv interpolated." << name << ": " << difference);
    BOOST_TEST(difference < limpid_test::kForwardAgreement);
    BOOST_TEST(((expected > 0.01) & (expected < 0.99)).sum().item<std::int64_t>() > 100);
  }
}

BOOST_AUTO_TEST_CASE(blue_first_weights_see_and_give_exchanged_colours) {
  torch::manual_seed(2);
  SepConvNetwork plain{kTiny};
  auto options = kTiny;
  options.bgr = true;
  SepConvNetwork blue_first{options};
  {
    const torch::NoGradGuard no_grad;
    const auto weights = plain->named_parameters();
    for (auto& item : blue_first->named_parameters()) item.value().copy_(weights[item.key()]);
  }
  const auto one = torch::rand({1, 3, 8, 8}), two = torch::rand({1, 3, 8, 8});
  BOOST_TEST(torch::equal(blue_first->forward(one, two),
                          plain->forward(one.flip(1), two.flip(1)).flip(1)));
  BOOST_TEST(!torch::equal(blue_first->forward(one, two), plain->forward(one, two)));
}

BOOST_AUTO_TEST_CASE(starts_from_the_average_when_asked) {
  torch::manual_seed(3);
  SepConvNetwork network{SepConvOptions::small()};
  network->start_from_average();
  const auto one = torch::rand({1, 3, 64, 96}), two = torch::rand({1, 3, 64, 96});
  const auto found = network->forward(one, two).detach();
  BOOST_TEST((found - (one + two) / 2).abs().mean().item<double>() < 0.05);
}

BOOST_AUTO_TEST_CASE(names_the_sides_it_wanted) {
  SepConvNetwork network{kTiny};
  BOOST_TEST(throws_value_error(
      [&] {
        network->forward(torch::zeros({1, 3, 8, 10}), torch::zeros({1, 3, 8, 10}));
      },
      "SepConvNetwork: expected sides that are multiples of 4, got [1, 3, 8, 10] (interpolate "
      "pads)"));
  BOOST_TEST(throws_value_error(
      [&] {
        network->forward(torch::zeros({1, 3, 8, 8}), torch::zeros({1, 3, 8, 12}));
      },
      "SepConvNetwork: frames [1, 3, 8, 8] and [1, 3, 8, 12] differ in shape"));
  BOOST_TEST(throws_value_error([] { SepConvNetwork{SepConvOptions{.taps = 50}}; },
                                "SepConvNetwork: taps must be odd, got 50"));
  BOOST_TEST(throws_value_error([] { SepConvNetwork{SepConvOptions{.widths = {8}}}; },
                                "SepConvNetwork: expected 2 to 8 levels, got 1"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(interpolate_)

BOOST_AUTO_TEST_CASE(takes_frames_of_any_size_and_keeps_it) {
  torch::manual_seed(5);
  SepConvNetwork network{kTiny};
  for (const auto& [height, width] : {std::pair{1, 1}, {7, 33}, {16, 16}}) {
    for (const auto padding : {SepConvPadding::improved, SepConvPadding::paper}) {
      const auto frame = torch::rand({1, 3, height, width});
      const auto found = limpid::interpolate(network, frame, frame, {{}, padding});
      BOOST_TEST(found.sizes() == frame.sizes());
      BOOST_TEST(!found.requires_grad());
    }
  }
}

BOOST_AUTO_TEST_CASE(tiles_agree_with_the_whole_frame_away_from_their_borders) {
  torch::manual_seed(6);
  SepConvNetwork network{kTiny};
  network->start_from_average();
  const auto one = torch::rand({1, 3, 96, 128}), two = torch::rand({1, 3, 96, 128});
  const auto whole = limpid::interpolate(network, one, two, {{.tile = 0}, {}});
  const auto tiled = limpid::interpolate(network, one, two, {{.tile = 64, .overlap = 16}, {}});
  // Upsampling with aligned corners depends on a tile's side, so the two are near, not equal.
  BOOST_TEST((whole - tiled).abs().max().item<double>() < 0.02);
  BOOST_TEST(!torch::equal(whole, tiled));
  BOOST_TEST(throws_value_error(
      [&] {
        limpid::interpolate(network, one, two, {{.tile = 66}, {}});
      },
      "interpolate: tile must be a multiple of 4, got 66"));
}

BOOST_AUTO_TEST_CASE(halves_time_again_and_again) {
  torch::manual_seed(7);
  SepConvNetwork network{kTiny};
  network->start_from_average();
  const auto one = torch::rand({1, 3, 16, 16}), two = torch::rand({1, 3, 16, 16});
  const auto middle = limpid::interpolate(network, one, two);
  const auto four = limpid::interpolate_between(network, one, two, 4);
  BOOST_REQUIRE(four.size() == 3u);
  BOOST_TEST(torch::equal(four[1], middle));
  BOOST_TEST(torch::equal(four[0], limpid::interpolate(network, one, middle)));
  BOOST_TEST(torch::equal(four[2], limpid::interpolate(network, middle, two)));
  BOOST_TEST(limpid::interpolate_between(network, one, two, 16).size() == 15u);
  BOOST_TEST(
      throws_value_error([&] { limpid::interpolate_between(network, one, two, 6); },
                         "interpolate_between: factor must be a power of two from 2, got 6"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sepconv_file)

BOOST_AUTO_TEST_CASE(weights_come_back_with_their_size_and_colours) {
  torch::manual_seed(8);
  limpid_test::TemporaryFolder folder;
  for (const bool bgr : {false, true}) {
    SepConvNetwork network{SepConvOptions{.widths = {4, 6, 5}, .taps = 7, .bgr = bgr}};
    limpid::save_sepconv(folder / "model.limpid", network, {{"note", "kept"}});
    limpid::write_safetensors(folder / "older.safetensors", older_file(network));
    for (const auto* name : {"model.limpid", "older.safetensors"}) {
      auto loaded = limpid::load_sepconv(folder / name);
      BOOST_TEST((nlohmann::json(loaded->options()) == nlohmann::json(network->options())));
      const auto frame = torch::rand({1, 3, 8, 16});
      BOOST_TEST(torch::equal(loaded->forward(frame, frame), network->forward(frame, frame)));
    }
  }
  const auto file = limpid::read_safetensors(folder / "model.limpid");
  BOOST_TEST(nlohmann::json::parse(file.metadata.at("limpid"))["note"] == "kept");
}

BOOST_AUTO_TEST_CASE(published_names_are_read_blue_first) {
  torch::manual_seed(9);
  limpid_test::TemporaryFolder folder;
  SepConvNetwork network{SepConvOptions{.widths = {4, 6}, .taps = 5, .bgr = true}};
  for (const std::string prefix : {"module", "net", "state_dict.module"}) {
    limpid::TensorFile file;
    for (const auto& item : network->named_parameters()) {
      file.tensors[prefix + item.key().substr(3)] = item.value();
    }
    limpid::write_safetensors(folder / "published.safetensors", file);
    auto loaded = limpid::load_sepconv(folder / "published.safetensors");
    BOOST_TEST(loaded->options().bgr);
    const auto one = torch::rand({1, 3, 8, 8}), two = torch::rand({1, 3, 8, 8});
    BOOST_TEST(torch::equal(loaded->forward(one, two), network->forward(one, two)));
  }
}

BOOST_AUTO_TEST_CASE(averages_come_before_raw_weights_and_a_key_chooses) {
  torch::manual_seed(10);
  limpid_test::TemporaryFolder folder;
  const auto path = folder / "published.safetensors";
  SepConvNetwork raw{kTiny}, averaged{kTiny};
  limpid::TensorFile file;
  const auto add = [&](const std::string& prefix, const SepConvNetwork& network) {
    for (const auto& item : network->named_parameters()) {
      file.tensors[prefix + item.key().substr(3)] = item.value().clone();
    }
  };
  const auto is = [](const SepConvNetwork& loaded, const SepConvNetwork& network) {
    return torch::equal(loaded->parameters()[0], network->parameters()[0]);
  };
  add("params.module.module", raw);
  add("params_ema.module.module", averaged);
  limpid::write_safetensors(path, file);
  BOOST_TEST(is(limpid::load_sepconv(path), averaged));
  BOOST_TEST(is(limpid::load_sepconv(path, {.key = "params"}), raw));
  const auto wrong = [&] { limpid::load_sepconv(path, {.key = "netG"}); };
  BOOST_TEST(fails_with(wrong, {"netG", "params, params_ema"}));
  limpid::save_sepconv(folder / "model.limpid", raw);
  const auto keyed = [&] { limpid::load_sepconv(folder / "model.limpid", {.key = "params"}); };
  BOOST_TEST(fails_with(keyed, {"has no keys, got 'params'"}));

  // Two alike: neither is taken for the other.
  file.tensors.clear();
  add("generator_a.net", raw);
  add("generator_b.net", averaged);
  limpid::write_safetensors(path, file);
  const auto alike = [&] { limpid::load_sepconv(path); };
  BOOST_TEST(fails_with(alike, {"2 of its keys fit equally well"}));
  BOOST_TEST(is(limpid::load_sepconv(path, {.key = "generator_b"}), averaged));
}

BOOST_AUTO_TEST_CASE(says_what_a_file_lacks) {
  limpid_test::TemporaryFolder folder;
  const auto path = folder / "weights.safetensors";
  const auto load = [&] { limpid::load_sepconv(path); };
  limpid::write_safetensors(path, {{{"weight", torch::zeros({2})}}, {}});
  BOOST_TEST(fails_with(load, {path.string(), "expected a tensor 'netConv1.0.weight'"}));

  SepConvNetwork network{kTiny};
  const auto whole = older_file(network);
  auto file = whole;
  file.tensors.erase("netVertical1.7.weight");
  limpid::write_safetensors(path, file);
  BOOST_TEST(fails_with(load, {path.string(), "found 2 levels and 0 taps"}));
  file = whole;
  file.tensors.erase("netHorizontal2.4.bias");
  limpid::write_safetensors(path, file);
  BOOST_TEST(fails_with(load, {path.string(), "netHorizontal2.4.bias"}));
  file = whole;
  file.metadata["sepconv"] = "{}";
  limpid::write_safetensors(path, file);
  BOOST_TEST(fails_with(load, {path.string(), "metadata 'sepconv'"}));

  limpid::save_sepconv(path, network);
  file = limpid::read_safetensors(path);
  file.tensors.at("encoder.netHorizontal2.4.bias")[0] += 1;
  limpid::write_safetensors(path, file);
  BOOST_TEST(fails_with(load, {path.string(), "checksum", "netHorizontal2.4.bias"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
