// Ranks are shell scripts here; limpid-train's stand in tests/programs/processes.cpp.
#include <limpid/parallel/supervisor.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <boost/test/unit_test.hpp>

#include <stdlib.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using limpid::supervise, limpid::SupervisorOptions;
using namespace limpid_test;

/// A folder that the scripts work in, and that temporary files go to meanwhile.
struct Place {
  TemporaryFolder folder;
  std::vector<std::string> said;

  Place() {
    fs::create_directories(folder / "tmp");
    ::setenv("TMPDIR", (folder / "tmp").c_str(), 1);
  }
  ~Place() { ::unsetenv("TMPDIR"); }

  /// Ranks that run `script` in the folder.
  SupervisorOptions ranks(const std::string& script) {
    SupervisorOptions options;
    options.command = {"/bin/sh", "-c", "cd '" + (folder / "").string() + "'; " + script};
    options.timeout = 400ms;
    options.grace = 400ms;
    options.say = [this](const std::string& line) { said.push_back(line); };
    return options;
  }

  bool has(const std::string& name) const { return fs::exists(folder / name); }
};

BOOST_FIXTURE_TEST_SUITE(supervisor, Place)

BOOST_AUTO_TEST_CASE(each_rank_learns_who_it_is_and_nothing_is_left_behind) {
  auto options = ranks(
      "test -d \"$(dirname \"${LIMPID_STORE#file:}\")\" && touch "
      "rank-$LIMPID_RANK-of-$LIMPID_WORLD_SIZE");
  options.processes = 3;
  BOOST_TEST(supervise(options) == 0);
  for (const auto* name : {"rank-0-of-3", "rank-1-of-3", "rank-2-of-3"}) BOOST_TEST(has(name));
  BOOST_TEST(fs::is_empty(folder / "tmp"));
}

BOOST_AUTO_TEST_CASE(a_killed_rank_is_named_and_one_that_does_not_end_is_killed) {
  const auto began = std::chrono::steady_clock::now();
  const auto error = error_of([&] {
    return supervise(ranks("if [ $LIMPID_RANK = 1 ]; then kill -9 $$; fi; sleep 60 & wait"));
  });
  BOOST_TEST(error ==
             "rank 1 was ended by signal 9 (Killed); rank 0 did not end within 0.4 s after that");
  BOOST_TEST((std::chrono::steady_clock::now() - began < 20s));
}

BOOST_AUTO_TEST_CASE(what_a_rank_said_last_is_part_of_the_error) {
  const auto error = error_of([&] {
    auto options = ranks(
        "if [ $LIMPID_RANK = 1 ]; then echo early >&2; echo 'me: bad picture' >&2; touch gone; "
        "exit 1; "
        "fi; until [ -e gone ]; do sleep 0.02; done");
    options.name = "me";
    return supervise(options);
  });
  BOOST_TEST(error == "rank 1: bad picture");
}

BOOST_AUTO_TEST_CASE(a_stopped_rank_is_named_not_those_that_waited_for_it) {
  BOOST_TEST(error_of([&] {
               return supervise(
                   ranks("if [ $LIMPID_RANK = 1 ]; then kill -STOP $$; fi; sleep 0.3; exit 1"));
             }) == "rank 1 was stopped (SIGSTOP) and did not answer within 0.4 s");
  BOOST_TEST(error_of([&] { return supervise(ranks("kill -STOP $$")); }) ==
             "rank 0 was stopped (SIGSTOP) and did not answer within 0.4 s; rank 1 was stopped "
             "(SIGSTOP) and did not answer within 0.4 s");
  // One that goes on in time is none.
  auto patient =
      ranks("if [ $LIMPID_RANK = 1 ]; then (sleep 0.2; kill -CONT $$) & kill -STOP $$; fi");
  patient.timeout = 10s;
  BOOST_TEST(supervise(patient) == 0);
}

BOOST_AUTO_TEST_CASE(all_ranks_start_again_as_often_as_asked_each_time_at_a_new_place) {
  auto options = ranks(
      "echo \"$LIMPID_RANK $LIMPID_STORE\" >> starts; if [ $LIMPID_RANK = 0 ]; then [ $(grep -c ^0 "
      "starts) = 3 ] || kill -9 $$; fi");
  options.restarts = 2;
  options.grace = 5000ms;
  BOOST_TEST(supervise(options) == 0);
  BOOST_REQUIRE(said.size() == 2);
  BOOST_TEST(said[1] == "rank 0 was ended by signal 9 (Killed); all ranks start again, 2 of 2");
  const auto starts = read_bytes(folder / "starts");
  for (const auto* store : {"store-0", "store-1", "store-2"}) {
    BOOST_TEST((starts.find(store) != starts.npos));
  }
  fs::remove(folder / "starts");
  options.restarts = 1;
  BOOST_TEST(error_of([&] { return supervise(options); }) ==
             "rank 0 was ended by signal 9 (Killed); restarted 1 of 1 times");
}

BOOST_AUTO_TEST_CASE(a_start_after_a_failure_says_so_to_the_program) {
  auto options = ranks("");
  options.command = {"/bin/sh", (folder / "script").string()};
  write_bytes(folder / "script", "exit 1");
  options.restarts = 1;
  options.when_restarted = "-n";  // the shell then reads and does nothing
  BOOST_TEST(supervise(options) == 0);
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_not_started_again) {
  auto options = ranks("echo x >> starts; exit 2");
  options.processes = 1;
  options.restarts = 3;
  BOOST_TEST(supervise(options) == 2);
  BOOST_TEST(read_bytes(folder / "starts") == "x\n");
}

BOOST_AUTO_TEST_CASE(a_signal_goes_on_to_all_ranks_and_their_end_is_the_end) {
  auto options = ranks(
      "trap 'touch saved-$LIMPID_RANK; exit 0' TERM; touch up-$LIMPID_RANK; while :; do sleep "
      "0.02; done");
  options.restarts = 3;
  std::thread other{[&] {
    while (!has("up-0") || !has("up-1")) std::this_thread::sleep_for(5ms);
    ::kill(::getpid(), SIGTERM);
  }};
  BOOST_TEST(supervise(options) == 0);
  other.join();
  BOOST_TEST(has("saved-0"));
  BOOST_TEST(has("saved-1"));
  BOOST_TEST(said.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
