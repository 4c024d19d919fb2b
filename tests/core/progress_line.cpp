#include <limpid/core/progress_line.hpp>
#include <support/images.hpp>

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>

namespace {

using limpid::duration_text, limpid::ProgressLine;

/// What `action` prints on standard error, which is a file meanwhile.
std::string printed_by(const std::function<void()>& action) {
  const limpid_test::TemporaryFolder folder;
  const auto path = folder / "err";
  std::fflush(stderr);
  const int kept = ::dup(STDERR_FILENO);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  BOOST_REQUIRE(kept >= 0);
  BOOST_REQUIRE(file >= 0);
  ::dup2(file, STDERR_FILENO);
  ::close(file);
  action();
  std::fflush(stderr);
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  return limpid_test::read_bytes(path);
}

BOOST_AUTO_TEST_SUITE(progress_line)

BOOST_AUTO_TEST_CASE(durations_read_as_on_a_clock) {
  BOOST_TEST(duration_text(0) == "0:00");
  BOOST_TEST(duration_text(7.4) == "0:07");
  BOOST_TEST(duration_text(59.6) == "1:00");
  BOOST_TEST(duration_text(754) == "12:34");
  BOOST_TEST(duration_text(3599.4) == "59:59");
  BOOST_TEST(duration_text(3599.6) == "1:00:00");
  BOOST_TEST(duration_text(3723) == "1:02:03");
  BOOST_TEST(duration_text(360'000) == "100:00:00");
}

BOOST_AUTO_TEST_CASE(durations_that_are_none_read_as_zero) {
  BOOST_TEST(duration_text(-5) == "0:00");
  BOOST_TEST(duration_text(std::numeric_limits<double>::quiet_NaN()) == "0:00");
}

BOOST_AUTO_TEST_CASE(a_log_file_gets_a_line_every_few_seconds) {
  BOOST_TEST(printed_by([] {
               ProgressLine line;
               BOOST_TEST(line.due());
               line.show("first");
               BOOST_TEST(!line.due());
               line.show("too soon");
               line.say("kept");
             }) == "first\nkept\n");
}

BOOST_AUTO_TEST_CASE(a_quiet_line_prints_nothing) {
  BOOST_TEST(printed_by([] {
               ProgressLine line{true};
               BOOST_TEST(!line.due());
               line.show("shown");
               line.say("said");
             }) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
