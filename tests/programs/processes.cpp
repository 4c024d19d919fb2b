// limpid-train in several processes: who starts them, and what becomes of a run when one is lost.
// tests/kill_ranks.py is the long form.
#include <support/free_port.hpp>
#include <support/images.hpp>
#include <support/run_program.hpp>
#include <support/small_run.hpp>
#include <support/training_ranks.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid_test;
using Words = std::vector<std::string>;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// limpid-train in two processes.
Words two_ranks(const std::string& out, const std::string& steps, const Words& more = {}) {
  auto words =
      SmallRun::get().train(out, {"--processes", "2", "--timeout", "3", "--checkpoint-seconds",
                                  "0.2", "--network", "pixel-unet:width=8"});
  words[4] = steps;
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

BOOST_AUTO_TEST_SUITE(processes)

BOOST_AUTO_TEST_CASE(a_run_that_loses_ranks_ends_with_the_weights_of_an_undisturbed_one) {
  const TemporaryFolder folder;
  const auto scratch = with_temporary_folders_in(folder / "tmp");
  const auto undisturbed = run(two_ranks((folder / "undisturbed").string(), "40"), scratch);
  BOOST_REQUIRE_MESSAGE(undisturbed.code == 0, undisturbed.err);
  BOOST_TEST(contains(undisturbed.err, " % of the time; saved in "), undisturbed.err);
  BOOST_TEST(fs::is_empty(folder / "tmp"));

  const auto out = folder / "run";
  Running training{two_ranks(out.string(), "40", {"--restarts", "5"}), scratch};
  const std::vector<std::pair<int, int>> losses{{1, SIGKILL}, {0, SIGKILL}, {1, SIGSTOP}};
  std::set<pid_t> earlier;  // ranks of starts that have had their loss
  for (const auto& [rank, signal] : losses) {
    // Each in a start of its own, once that has saved.
    const auto saved = [&, before = modified(out / "checkpoint.limpid")] {
      const auto id = rank_of(training.id(), rank);
      return id != 0 && earlier.count(id) == 0 && modified(out / "checkpoint.limpid") != before;
    };
    BOOST_REQUIRE_MESSAGE(training.wait_until(saved), training.err());
    const auto lost = rank_of(training.id(), rank);
    for (const int each : {0, 1}) earlier.insert(rank_of(training.id(), each));
    if (lost != 0) ::kill(lost, signal);
    training.wait_until([&] { return lost == 0 || ::kill(lost, 0) != 0; });
  }
  const auto ended = training.wait();
  BOOST_TEST(ended.code == 0, ended.err);
  for (const auto* lost : {"rank 1 was ended by signal 9", "rank 0 was ended by signal 9"}) {
    BOOST_TEST(contains(ended.err, lost), ended.err);
  }
  BOOST_TEST(tensors_of(out / "model.limpid") == tensors_of(folder / "undisturbed/model.limpid"));
  BOOST_TEST(fs::is_empty(folder / "tmp"));
}

BOOST_AUTO_TEST_CASE(ctrl_c_on_one_rank_ends_all_of_them_saved_once) {
  const TemporaryFolder folder;
  const auto out = folder / "run";
  Running training{two_ranks(out.string(), "1000000")};
  BOOST_REQUIRE(training.wait_until([&] { return contains(training.err(), "step "); }));
  const auto second = rank_of(training.id(), 1);
  BOOST_REQUIRE(second > 0);  // 0 would be this test and all that it started
  ::kill(second, SIGINT);
  const auto ended = training.wait();
  BOOST_TEST(ended.code == 0, ended.err);
  const auto said = ended.err.find("interrupted after ");
  BOOST_REQUIRE_MESSAGE(said != std::string::npos, ended.err);
  BOOST_TEST(ended.err.find("interrupted after ", said + 1) == std::string::npos, ended.err);
  BOOST_TEST(run({"limpid-inspect", "--checksums", (out / "checkpoint.limpid").string()}).code ==
             0);
}

BOOST_AUTO_TEST_CASE(a_rank_that_meets_a_bad_picture_is_named_with_it) {
  const TemporaryFolder folder;
  fs::copy(SmallRun::get().path("deblur"), folder / "deblur", fs::copy_options::recursive);
  for (const auto& entry : fs::recursive_directory_iterator(folder / "deblur")) {
    if (entry.path().stem() != "photo1") continue;
    const auto whole = read_bytes(entry.path());
    write_bytes(entry.path(), whole.substr(0, whole.size() / 2));
  }
  auto words = two_ranks((folder / "run").string(), "100");
  for (auto& word : words) {
    if (word == SmallRun::get().data("deblur")) {
      word = "deblur=pairs:" + (folder / "deblur").string();
    }
  }
  const auto ended = run(words);
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(contains(ended.err, "rank "), ended.err);
  BOOST_TEST(contains(ended.err, "photo1"), ended.err);
}

BOOST_AUTO_TEST_CASE(a_rank_whose_fellows_do_not_come_ends_in_time_and_names_them) {
  const TemporaryFolder folder;
  const auto began = std::chrono::steady_clock::now();
  const auto alone = run(SmallRun::get().train((folder / "run").string(), {"--timeout", "1"}), [&] {
    ::setenv("RANK", "1", 1);
    ::setenv("WORLD_SIZE", "2", 1);
    ::setenv("MASTER_ADDR", "127.0.0.1", 1);
    ::setenv("MASTER_PORT", free_port().c_str(), 1);
  });
  BOOST_TEST(alone.code == 1);
  BOOST_TEST(contains(alone.err, "rank 1 of 2"), alone.err);
  BOOST_TEST((std::chrono::steady_clock::now() - began < std::chrono::seconds{20}));
}

BOOST_AUTO_TEST_CASE(ranks_that_torchrun_starts_meet_at_a_port_and_train_as_limpids_own) {
  const TemporaryFolder folder;
  const auto own = run(two_ranks((folder / "own").string(), "3"));
  BOOST_REQUIRE_MESSAGE(own.code == 0, own.err);

  auto words = two_ranks((folder / "torchrun").string(), "3");
  words.erase(std::find(words.begin(), words.end(), "--processes"),
              std::find(words.begin(), words.end(), "--timeout"));
  const auto port = free_port();
  const auto as_rank = [&](const char* rank) {
    return [rank, port] {
      for (const auto* name : {"RANK", "LOCAL_RANK"}) ::setenv(name, rank, 1);
      for (const auto* name : {"WORLD_SIZE", "LOCAL_WORLD_SIZE"}) ::setenv(name, "2", 1);
      ::setenv("MASTER_ADDR", "localhost", 1);
      ::setenv("MASTER_PORT", port.c_str(), 1);
    };
  };
  Running second{words, as_rank("1")};
  const auto first = run(words, as_rank("0"));
  const auto last = second.wait();
  BOOST_TEST(first.code == 0, first.err);
  BOOST_TEST(last.code == 0, last.err);
  BOOST_TEST(tensors_of(folder / "torchrun/model.limpid") ==
             tensors_of(folder / "own/model.limpid"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_wrong_usage) {
  const TemporaryFolder folder;
  const auto check = [&](const Words& more, const std::string& name, const std::string& text) {
    const auto ended = run(SmallRun::get().train((folder / "run").string(), more), [&] {
      if (!name.empty()) ::setenv(name.c_str(), "2", 1);
    });
    BOOST_TEST(ended.code == 2, ended.err);
    BOOST_TEST(contains(ended.err, text), ended.err);
    BOOST_TEST(!fs::exists(folder / "run"));
  };
  check({"--processes", "2", "--master", "localhost:29500"}, "", "meet by themselves");
  check({"--processes", "0"}, "", "--processes");
  check({"--reduce-in", "float16"}, "", "--reduce-in: float16 not in {float32,bfloat16}");
  check({"--master", "localhost:29500"}, "", "no variable says which rank");
  check({}, "WORLD_SIZE", "WORLD_SIZE is set and RANK is not: torchrun sets both");
  check({"--processes", "2"}, "WORLD_SIZE", "WORLD_SIZE is set and RANK is not");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
