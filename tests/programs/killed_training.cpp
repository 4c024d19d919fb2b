// A training that is ended from outside loses nothing and keeps others out.
#include <support/images.hpp>
#include <support/run_program.hpp>
#include <support/small_run.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid_test;

/// Enough pictures for a validation that takes a while.
void many_pairs(const fs::path& folder) {
  for (int i = 0; i < 400; ++i) {
    const auto name = "p" + std::to_string(i) + ".png";
    save(picture(96, 96, static_cast<std::uint64_t>(i % 3)), folder / "input" / name);
    save(picture(96, 96, static_cast<std::uint64_t>(i % 3 + 1)), folder / "target" / name);
  }
}

std::vector<std::string> steps_of_the_log(const fs::path& run, const std::string& kind) {
  std::vector<std::string> steps;
  std::ifstream log{run / "metrics.jsonl"};
  for (std::string line; std::getline(log, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.at("kind") == kind) steps.push_back(json.at("step").dump());
  }
  return steps;
}

BOOST_AUTO_TEST_SUITE(killed_training)

BOOST_AUTO_TEST_CASE(a_run_ended_while_it_validates_is_saved_and_validates_when_it_is_resumed) {
  const TemporaryFolder folder;
  many_pairs(folder / "pairs");
  const auto run_folder = folder / "run";
  auto words = SmallRun::get().train(run_folder.string());
  words.insert(words.end(),
               {"--resume", "--validate", "deblur=pairs:" + (folder / "pairs").string()});
  {
    Running training{words};
    // The run is saved before its last validation begins.
    BOOST_REQUIRE(training.wait_until([&] { return fs::exists(run_folder / "model.limpid"); }));
    const auto second = run(words);
    BOOST_TEST(second.code == 1);
    BOOST_TEST(second.err.find("' is in use: process ") != std::string::npos, second.err);
    training.send(SIGTERM);
    const auto ended = training.wait();
    BOOST_TEST(ended.code == 0, ended.err);
    BOOST_TEST(ended.err.find("interrupted after 3 steps") != std::string::npos, ended.err);
    BOOST_TEST(steps_of_the_log(run_folder, "validation").empty());
  }
  words.insert(words.end(), {"--validation-images", "5"});
  const auto resumed = run(words);
  BOOST_TEST(resumed.code == 0, resumed.err);
  BOOST_TEST(resumed.err.find("finished after 3 steps") != std::string::npos, resumed.err);
  BOOST_TEST((steps_of_the_log(run_folder, "validation") == std::vector<std::string>{"3"}));
}

BOOST_AUTO_TEST_CASE(a_killed_run_leaves_no_lock_and_a_hang_up_ends_one_saved) {
  const TemporaryFolder folder;
  const auto run_folder = folder / "run";
  auto words = SmallRun::get().train(run_folder.string());
  words[4] = "1000000";  // steps
  const auto trains = [](Running& training) {
    return training.wait_until([&] { return training.err().find("step ") != std::string::npos; });
  };
  {
    Running training{words};
    BOOST_REQUIRE(trains(training));
    training.send(SIGKILL);
    training.wait();
  }
  words.push_back("--resume");
  Running training{words};
  BOOST_REQUIRE(trains(training));
  training.send(SIGHUP);
  const auto ended = training.wait();
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(fs::exists(run_folder / "checkpoint.limpid"));
}

BOOST_AUTO_TEST_CASE(other_data_are_resumed_when_that_is_said) {
  const TemporaryFolder folder;
  const auto run_folder = folder / "run";
  fs::copy(SmallRun::get().path("deblur"), folder / "deblur", fs::copy_options::recursive);
  auto words = SmallRun::get().train(run_folder.string(), {"--resume", "--stop-after", "1"});
  for (auto& word : words) {
    if (word == SmallRun::get().data("deblur")) {
      word = "deblur=pairs:" + (folder / "deblur").string();
    }
  }
  BOOST_TEST(run(words).code == 0);
  for (const auto& entry : fs::recursive_directory_iterator(folder / "deblur")) {
    if (entry.path().stem() == "photo1") fs::remove(entry.path());
  }
  const auto refused = run(words);
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(
      refused.err.find("/branches/deblur/pairs = 3, and this one has 2") != std::string::npos,
      refused.err);
  BOOST_TEST(refused.err.find("--data-changed") != std::string::npos, refused.err);
  words.push_back("--data-changed");
  const auto resumed = run(words);
  BOOST_TEST(resumed.code == 0, resumed.err);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
