#include <limpid/model/families.hpp>
#include <support/errors.hpp>
#include <support/small_networks.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace limpid;
using nlohmann::json;

using limpid_test::error_of;
using limpid_test::small_network;

/// Trained for seconds to brighten dark squares, its loss falls.
void check_learns(const Network& network) {
  BOOST_TEST_CONTEXT(network.family) {
    torch::manual_seed(5);
    auto model = make_model(network, {"enlighten"});
    model.module->train();
    torch::optim::Adam adam{model.module->parameters(), torch::optim::AdamOptions{5e-3}};
    const auto side = network.family == "fpn-inception-resnet-v2" ? 128 : 32;
    const auto squares = torch::rand({2, 3, side / 8, side / 8}) * 1.6 - 0.8;
    const auto target = squares.repeat_interleave(8, 2).repeat_interleave(8, 3);
    const auto degraded = (target + 1) * 0.4 - 1;
    double first = 0, last = 0;
    for (int step = 0; step < 40; ++step) {
      adam.zero_grad();
      const auto loss = (model.restore(0, degraded) - target).abs().mean();
      loss.backward();
      adam.step();
      last = loss.item<double>();
      if (step == 0) first = last;
    }
    BOOST_TEST_MESSAGE(network.family << ": " << first << " to " << last);
    BOOST_TEST(last < 0.7 * first);
  }
}

BOOST_AUTO_TEST_SUITE(families)

BOOST_AUTO_TEST_CASE(every_family_is_built_saved_and_loaded_with_tasks_of_any_name) {
  const limpid_test::TemporaryFolder folder;
  const auto path = folder / "model.limpid";
  kFamilies.for_each([&](const auto& entry) {
    BOOST_TEST_CONTEXT(entry.name) {
      torch::manual_seed(1);
      const auto model =
          make_model(small_network(std::string{entry.name}), {"night", "remove-2_rain"});
      model.module->eval();
      save(model, path, {{"step", 7}});
      const auto loaded = load_any(path);
      BOOST_TEST((loaded.model.tasks == std::vector<std::string>{"night", "remove-2_rain"}));
      BOOST_TEST(loaded.manifest.at("step") == 7);
      BOOST_TEST(loaded.manifest.at("encoder").at("architecture") == std::string{entry.name});
      torch::NoGradGuard no_grad;
      const auto image = torch::rand({1, 3, 33, 41}) * 2 - 1;
      const auto restored = model.restore(1, image);
      BOOST_TEST(restored.sizes() == image.sizes());
      BOOST_TEST(torch::equal(loaded.model.restore(1, image), restored));
      BOOST_TEST(!loaded.model.module->is_training());
      for (const auto& [name, tensor] : loaded.model.parameters) {
        const bool named = name.rfind("encoder.", 0) == 0 || name.rfind("decoder.night.", 0) == 0 ||
                           name.rfind("decoder.remove-2_rain.", 0) == 0;
        BOOST_TEST(named, name);
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(every_family_learns_within_seconds) {
  kFamilies.for_each(
      [&](const auto& entry) { check_learns(small_network(std::string{entry.name})); });
}

BOOST_AUTO_TEST_CASE(any_family_takes_prompts_by_name) {
  const limpid_test::TemporaryFolder folder;
  const auto path = folder / "model.limpid";
  kFamilies.for_each([&](const auto& entry) {
    BOOST_TEST_CONTEXT(entry.name) {
      auto network = small_network(std::string{entry.name});
      BOOST_TEST(!all_options(network).at("decoder").contains("prompt"));
      network.options["prompt"] = 2;
      BOOST_TEST(all_options(network).at("decoder").at("prompt") == 2);
      const auto model = make_model(network, {"one", "two"});
      model.module->eval();
      torch::NoGradGuard no_grad;
      for (auto& [name, tensor] : model.parameters) {
        if (name.find(".prompt.prompts") != std::string::npos) tensor.add_(0.1);
      }
      save(model, path);
      const auto image = torch::rand({1, 3, 21, 33}) * 2 - 1;
      const auto loaded = load_any(path).model;
      BOOST_TEST(torch::equal(loaded.restore(1, image), model.restore(1, image)));
      BOOST_TEST((loaded.tensors().count("decoder.two.prompt.prompts") == 1u));
    }
  });
  auto prompted = small_network("pixel-unet");
  prompted.options["prompt"] = 3;
  check_learns(prompted);
  BOOST_TEST(error_of([] { all_options(parse_network("nafnet:prompt=many")); }) ==
             "option 'prompt' of nafnet's decoder: expected a whole number like 0, got \"many\"");
}

BOOST_AUTO_TEST_CASE(a_decoder_follows_its_encoder_unless_it_is_told_otherwise) {
  const auto nafnet = all_options({"nafnet", {{"width", 8}, {"blocks", {1, 2, 3}}}});
  BOOST_TEST(nafnet.at("encoder").at("width") == 8);
  BOOST_TEST(nafnet.at("encoder").at("middle_blocks") == 12);
  BOOST_TEST(nafnet.at("decoder").at("width") == 8);
  BOOST_TEST(nafnet.at("decoder").at("blocks") == json({2, 2, 2}));
  const auto told = all_options(parse_network("nafnet:blocks=[1,1],decoder.blocks=[3,4]"));
  BOOST_TEST(told.at("decoder").at("blocks") == json({3, 4}));
  BOOST_TEST(told.at("encoder").at("blocks") == json({1, 1}));
  const auto restormer =
      all_options(parse_network("restormer:blocks=[1,2,3],heads=[1,1,2],norm=bias-free"));
  BOOST_TEST(restormer.at("decoder").at("blocks") == json({1, 2}));
  BOOST_TEST(restormer.at("decoder").at("heads") == json({1, 1}));
  BOOST_TEST(restormer.at("decoder").at("norm") == "bias-free");
  const auto fpn = all_options({"fpn-mobilenet-v2", {{"head_width", 6}, {"norm", "batch"}}});
  BOOST_TEST(fpn.at("decoder").at("width") == 6);
  BOOST_TEST(fpn.at("decoder").at("norm") == "batch");
}

BOOST_AUTO_TEST_CASE(what_is_no_network_or_no_option_is_told_in_one_line) {
  const auto error = [](const std::string& text) {
    return error_of([&] { all_options(parse_network(text)); });
  };
  BOOST_TEST(error("nafnett") == "expected a network, one of " + kFamilies.list() +
                                     "; got 'nafnett', did you mean 'nafnet'?");
  BOOST_TEST(error("resnet:widt=8") ==
             "expected an option of resnet, one of blocks, dropout, width, decoder.prompt, "
             "decoder.width; got "
             "'widt', did you mean 'width'?");
  BOOST_TEST(error("resnet:decoder.blocks=8") ==
             "expected an option of resnet's decoder, one of prompt, width; got 'blocks'");
  BOOST_TEST(error("fpn-mobilenet-v2:backbone.repeat=1")
                 .rfind("expected an option of fpn-mobilenet-v2, one of backbone.", 0) == 0U);
  BOOST_TEST(error("resnet:width=8.5") ==
             "option 'width' of resnet: expected a whole number like 64, got 8.5");
  BOOST_TEST(error("resnet:width=wide") ==
             "option 'width' of resnet: expected a whole number like 64, got \"wide\"");
  BOOST_TEST(error("resnet:width=99999999999999999999") ==
             "option 'width' of resnet: expected a whole number like 64, got 1e+20");
  BOOST_TEST(error("pixel-unet:blocks=[1,2,3,4]") ==
             "option 'blocks' of pixel-unet: cannot be [1,2,3,4]");
  BOOST_TEST(error("nafnet:blocks=[1,\"2\"]") ==
             "option 'blocks' of nafnet: expected a list like [2,2,4,8], got a list of 2");
  BOOST_TEST(error("nafnet:range=half") ==
             "ValueRange: expected \"signed\" or \"unit\", got \"half\"");
  BOOST_TEST(error("resnet:width") == "network options: expected KEY=VALUE, got 'width'");
  BOOST_TEST(error("resnet:width=1,width=2") == "network options: 'width' is named twice");
  BOOST_TEST(error("resnet:{\"width\": 1") ==
             "network options: expected a JSON object, got '{\"width\": 1'");
  BOOST_TEST(error_of([] { make_model({"resnet"}, {"De Blur"}); }) ==
             "a task is named by a-z, 0-9, '-' and '_', got 'De Blur'");
  BOOST_TEST(error_of([] {
               make_model(small_network("resnet"), {"a", "a"});
             }) == "task 'a' is named twice");
  BOOST_TEST(error_of([] { make_model(small_network("resnet"), {}); }) ==
             "expected at least one task, got none");
}

BOOST_AUTO_TEST_CASE(a_clone_of_a_model_of_run_time_tasks_owns_its_weights) {
  const auto model = make_model(small_network("nafnet"), {"one", "two"});
  const auto copy = model.module->clone();
  const auto mine = model.module->named_parameters(), other = copy->named_parameters();
  BOOST_REQUIRE(mine.size() == other.size());
  for (const auto& item : mine) {
    BOOST_TEST(torch::equal(item.value(), other[item.key()]), item.key());
    BOOST_TEST(!item.value().is_alias_of(other[item.key()]), item.key());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
