#include <limpid/training/run_folder.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace {

using limpid::RunFolder;
using limpid_test::TemporaryFolder;

/// What opening the folder of a run ends with.
std::string opening(const std::filesystem::path& path) {
  return limpid_test::error_of([&] { RunFolder{path}; });
}

BOOST_AUTO_TEST_SUITE(run_folder)

BOOST_AUTO_TEST_CASE(is_made_and_kept_from_others_until_it_is_left) {
  const TemporaryFolder folder;
  const auto path = folder / "a" / "run";
  {
    const RunFolder first{path};
    BOOST_TEST(opening(path) == "'" + path.string() + "' is in use: process " +
                                    std::to_string(::getpid()) +
                                    " trains there; one run at a time");
    BOOST_TEST(opening(folder / "b") == "no error");
  }
  BOOST_TEST(opening(path) == "no error");
}

BOOST_AUTO_TEST_CASE(a_process_that_is_killed_leaves_no_lock) {
  const TemporaryFolder folder;
  int ready[2];
  BOOST_REQUIRE(::pipe(ready) == 0);
  const auto child = ::fork();
  if (child == 0) {
    const RunFolder held{folder.path()};
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();
  }
  char byte = 0;
  BOOST_REQUIRE(::read(ready[0], &byte, 1) == 1);
  BOOST_TEST(opening(folder.path()).find("process " + std::to_string(child)) != std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  BOOST_TEST(opening(folder.path()) == "no error");
  ::close(ready[0]);
  ::close(ready[1]);
}

BOOST_AUTO_TEST_CASE(any_file_of_a_run_makes_it_a_runs) {
  for (const std::string name :
       {"model.limpid", "checkpoint.limpid", "metrics.jsonl", "best.limpid", "raw.limpid"}) {
    const TemporaryFolder folder;
    const RunFolder run{folder.path()};
    BOOST_TEST(run.file_of_a_run() == nullptr);
    std::ofstream{folder / "notes.txt"} << "mine";
    std::ofstream{folder / "metrics.jsonl"};
    BOOST_TEST(run.file_of_a_run() == nullptr);  // an empty log holds nothing that could be lost
    std::ofstream{folder / name} << "{}";
    BOOST_REQUIRE(run.file_of_a_run() != nullptr);
    BOOST_TEST(run.file_of_a_run() == name);
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_was_replaced_is_another) {
  const TemporaryFolder folder;
  const RunFolder run{folder.path()};
  const auto none = run.identity("model.limpid");
  std::ofstream{folder / "model.limpid"} << "1";
  const auto first = run.identity("model.limpid");
  std::ofstream{folder / "aside"} << "2";
  std::filesystem::rename(folder / "aside", folder / "model.limpid");
  BOOST_TEST((first != none));
  BOOST_TEST((run.identity("model.limpid") != first));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made_is_named) {
  BOOST_TEST(opening("/proc/limpid").rfind("cannot write to '/proc/limpid'", 0) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
