#include <limpid/io/image.hpp>
#include <limpid/model/families.hpp>
#include <support/images.hpp>
#include <support/run_program.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace limpid_test;
using nlohmann::json;
using Words = std::vector<std::string>;
namespace fs = std::filesystem;

/// A folder with pairs to train on.
class Folder {
 public:
  Folder() {
    for (int i = 0; i < 2; ++i) {
      const auto name = std::to_string(i) + ".png";
      save(picture(48, 56, static_cast<std::uint64_t>(i)), folder_ / "pairs/target" / name);
      save(picture(48, 56, static_cast<std::uint64_t>(i) + 9), folder_ / "pairs/input" / name);
    }
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// A few steps of quickstart with other networks.
  Words train(const std::string& network, const Words& more) const {
    Words words{"limpid-train", "--recipe", "quickstart", "--network", network,    "--steps", "2",
                "--threads",    "1",        "--quiet",    "--out",     path("run")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

 private:
  TemporaryFolder folder_;
};

void check_ended(const Ended& ended) { BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err); }

/// Wrong usage: exit code 2 and one line that has `text`.
void check_usage(const Words& words, const std::string& text) {
  const auto ended = run(words);
  BOOST_TEST(ended.code == 2, words.front() << " ended with " << ended.code << ": " << ended.err);
  BOOST_TEST(ended.err.find(text) != std::string::npos, ended.err);
  BOOST_TEST(std::count(ended.err.begin(), ended.err.end(), '\n') == 1, ended.err);
}

BOOST_AUTO_TEST_SUITE(networks)

BOOST_AUTO_TEST_CASE(any_family_trains_and_restores_tasks_of_any_name) {
  const std::vector<std::pair<std::string, Words>> networks{
      {"nafnet:width=4,blocks=[1],middle_blocks=1", {"--network-options", "{\"range\": \"unit\"}"}},
      {"fpn-mobilenet-v2:head_width=8,pyramid_width=8,backbone.width=0.25", {"--random-backbone"}},
      {"resnet:width=4,blocks=1", {}}};
  for (const auto& [network, more] : networks) {
    BOOST_TEST_CONTEXT(network) {
      const Folder folder;
      auto words = folder.train(
          network, {"--crop", "64", "--data", "night-shot=pairs:" + folder.path("pairs"), "--data",
                    "under_water=pairs:" + folder.path("pairs"), "--batch", "night-shot=1",
                    "--batch", "under_water=1"});
      words.insert(words.end(), more.begin(), more.end());
      check_ended(run(words));
      const auto loaded = limpid::load_any(folder.path("run/model.limpid"));
      BOOST_TEST((loaded.model.tasks == Words{"night-shot", "under_water"}));
      BOOST_TEST(loaded.manifest.at("step") == 2);
      BOOST_TEST(network.rfind(loaded.manifest.at("encoder").at("architecture").get<std::string>(),
                               0) == 0U);
      check_ended(run({"limpid-restore", "--model", folder.path("run/model.limpid"), "--task",
                       "under_water", "--threads", "1", "--out", folder.path("out"),
                       folder.path("pairs/input")}));
      BOOST_TEST(limpid::Image::load(folder.path("out/1.png")).width() == 56);
    }
  }
}

BOOST_AUTO_TEST_CASE(options_come_from_a_file_and_the_command_line_wins) {
  const Folder folder;
  std::ofstream{folder.path("options.toml")} << "recipe = \"quickstart\"\n"
                                             << "network = \"pixel-unet:width=4\"\n"
                                             << "data = [\"a=pairs:" << folder.path("pairs")
                                             << "\"]\n"
                                             << "steps = 5\ncrop = 32\nquiet = true\nthreads = 1\n";
  check_ended(run({"limpid-train", "--config", folder.path("options.toml"), "--steps", "1", "--out",
                   folder.path("run"), "--json", folder.path("result.json")}));
  const auto result = json::parse(std::ifstream{folder.path("result.json")});
  BOOST_TEST(result.at("steps") == 1);
  BOOST_TEST(result.at("network") == "pixel-unet");
  BOOST_TEST(result.at("network_options").at("decoder").at("width") == 4);
  std::ofstream{folder.path("options.toml"), std::ios::app} << "stepps = 5\n";
  check_usage({"limpid-train", "--config", folder.path("options.toml"), "--out", folder.path("r")},
              "stepps");
  check_usage({"limpid-train", "--config", folder.path("none.toml")}, "none.toml");
}

BOOST_AUTO_TEST_CASE(every_program_says_its_version_and_reads_options_from_files) {
  for (const std::string program : {"train", "restore", "evaluate", "benchmark", "convert", "data",
                                    "detect", "inspect", "plane", "table"}) {
    const auto name = "limpid-" + program;
    const auto version = run({name, "--version"});
    BOOST_TEST(version.code == 0, name);
    BOOST_TEST(version.out.rfind(name + ", limpid ", 0) == 0U, name << ": " << version.out);
    BOOST_TEST(run({name, "--help"}).out.find("--config") != std::string::npos, name);
  }
}

BOOST_AUTO_TEST_CASE(numbers_that_are_none_get_one_readable_line) {
  const Folder folder;
  const auto train = [&](const std::string& option, const std::string& value) {
    return Words{"limpid-train",
                 "--recipe",
                 "quickstart",
                 "--data",
                 "a=pairs:" + folder.path("pairs"),
                 "--out",
                 folder.path("run"),
                 option,
                 value};
  };
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"--steps", "99999999999999999999"},
                                                        {"--steps", "0"},
                                                        {"--steps", "-3"},
                                                        {"--steps", "nan"},
                                                        {"--epochs", "1.5"},
                                                        {"--minutes", "nan"},
                                                        {"--minutes", "inf"},
                                                        {"--minutes", "0"},
                                                        {"--minutes", "1e999"},
                                                        {"--seed", "-1"},
                                                        {"--seed", "99999999999999999999999"},
                                                        {"--crop", "1e9"},
                                                        {"--threads", "0"},
                                                        {"--workers", "x"},
                                                        {"--critic-rate", "nan"},
                                                        {"--critic-rate", "2"},
                                                        {"--rate", "1e20"},
                                                        {"--rate", "0"},
                                                        {"--minutes", "1e300"},
                                                        {"--epochs", "500000000000000000"},
                                                        {"--steps", "9223372036854775807"},
                                                        {"--adversarial-weight", "1e30"},
                                                        {"--contextual", "1e30"},
                                                        {"--contextual", "-1"},
                                                        {"--adversarial-weight", "inf"}}) {
    check_usage(train(option, value), option + ": expected a ");
  }
  check_usage({"limpid-benchmark", "step", "--recipe", "quickstart", "--tasks", "0"},
              "--tasks: expected a whole number");
  check_usage({"limpid-benchmark", "restore", "--recipe", "quickstart", "--tile", "nan"},
              "--tile: expected a whole number");
  check_usage({"limpid-data", "train-interpolation", "--rate", "1e20", "--out", folder.path("run"),
               folder.path("frames")},
              "--rate: expected a number above 0 to 1, got '1e20'");
  check_usage({"limpid-data", "split", "--test", "nan", "a", "b"},
              "--test: expected a number from 0 to 1");
  BOOST_TEST(!fs::exists(folder.path("run")));
}

BOOST_AUTO_TEST_CASE(tasks_are_balanced_by_a_weighting_that_the_command_line_names) {
  const Folder folder;
  const Words data{"--data", "a=pairs:" + folder.path("pairs"),
                   "--data", "b=pairs:" + folder.path("pairs"),
                   "--crop", "32"};
  auto words = folder.train("nafnet:width=4,blocks=[1]", data);
  words.insert(words.end(), {"--weighting", "uncertainty:offset=80", "--resume"});
  check_ended(run(words));
  std::ifstream log{folder.path("run/metrics.jsonl")};
  std::string line;
  BOOST_REQUIRE(std::getline(log, line));
  BOOST_TEST(json::parse(line).at("weights").size() == 2U);
  words[words.size() - 2] = "upgrad";
  const auto refused = run(words);
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(refused.err.find("/weighting = \"uncertainty, rate 0.01, offset 80\", and this one "
                              "has \"upgrad") != std::string::npos,
             refused.err);
  // The recipe's loss is negative, and the error says what to do.
  auto negative = folder.train("nafnet:width=4,blocks=[1]", data);
  negative[negative.size() - data.size() - 1] = folder.path("other");
  negative.insert(negative.end(), {"--weighting", "gls"});
  const auto ended = run(negative);
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(ended.err.find("weighting gls: expected losses of at least 0, task 'a' has") !=
                 std::string::npos,
             ended.err);
}

BOOST_AUTO_TEST_CASE(networks_that_are_none_get_one_readable_line) {
  const Folder folder;
  const auto wrong = [&](const std::string& network, const std::string& text) {
    check_usage(folder.train(network, {"--data", "a=pairs:" + folder.path("pairs")}), text);
  };
  wrong("nafnett", "--network: expected a network, one of resnet, nafnet, ");
  wrong("nafnet:wide=3", "--network: expected an option of nafnet, one of blocks, ");
  wrong("nafnet:width=wide",
        "--network: option 'width' of nafnet: expected a whole number like 32");
  wrong("resnet:width=1,blocks=100000000", "its options describe a network of more than 20000");
  wrong("resnet:width=-1", "--network: network 'resnet': ");
  wrong("fpn-mobilenet-v2", "needs --backbone FILE, ImageNet weights, or --random-backbone");
  check_usage(folder.train("nafnet", {"--data", "A/b=pairs:" + folder.path("pairs")}),
              "expected a task name of lower-case letters");
}

BOOST_AUTO_TEST_CASE(any_family_is_measured) {
  const Words brief{"--runs", "1", "--warmup", "0", "--threads", "1"};
  const auto measure = [&](Words words) {
    words.insert(words.begin(), "limpid-benchmark");
    words.insert(words.end(), brief.begin(), brief.end());
    const auto ended = run(words);
    check_ended(ended);
    return json::parse(ended.out);
  };
  const auto step = measure({"step", "--recipe", "quickstart", "--network",
                             "nafnet:width=4,blocks=[1]", "--tasks", "5", "--crop", "16"});
  BOOST_TEST(step.at("network") == "nafnet");
  BOOST_TEST(step.at("tasks") == 5);
  const auto operations = [&](const std::string& convolution) {
    return measure({"step", "--recipe", "quickstart", "--network", "pixel-unet:width=16", "--tasks",
                    "1", "--crop", "64", "--convolution", convolution})
        .at("tera_operations")
        .get<double>();
  };
  BOOST_TEST(operations("fast") > 0);
  BOOST_TEST(operations("fast") == operations("exact"));
  BOOST_TEST(measure({"restore", "--network", "resnet:width=4,blocks=1", "--size", "33x41"})
                 .at("network") == "resnet");
}

BOOST_AUTO_TEST_CASE(weights_under_limpids_own_names_become_a_model_of_any_family) {
  const Folder folder;
  const auto model = limpid::make_model({"pixel-unet", {{"width", 4}}}, {"one", "two"});
  limpid::write_safetensors(folder.path("w.safetensors"), {model.tensors(), {}});
  check_ended(run({"limpid-convert", folder.path("w.safetensors"), folder.path("m.limpid"),
                   "--network", "pixel-unet:width=4", "--task", "one", "--task", "two"}));
  const auto loaded = limpid::load_any(folder.path("m.limpid")).model;
  BOOST_TEST((loaded.tasks == Words{"one", "two"}));
  const auto expected = model.tensors(), found = loaded.tensors();
  BOOST_REQUIRE(found.size() == expected.size());
  for (const auto& [name, tensor] : expected)
    BOOST_TEST(torch::equal(found.at(name), tensor), name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
