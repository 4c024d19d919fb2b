#include <limpid/core/caught_signals.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

namespace {

using limpid::CaughtSignals;
using Second = limpid::CaughtSignals::Second;

int calls_of_previous = 0;

void previous(int) { ++calls_of_previous; }

/// Our own handler of the signals, while the object lives.
struct PreviousHandlers {
  PreviousHandlers() {
    struct sigaction action {};
    action.sa_handler = previous;
    sigaction(SIGTERM, &action, &term);
    sigaction(SIGINT, &action, &interrupt);
    sigaction(SIGHUP, &action, &hangup);
    calls_of_previous = 0;
  }
  ~PreviousHandlers() {
    sigaction(SIGTERM, &term, nullptr);
    sigaction(SIGINT, &interrupt, nullptr);
    sigaction(SIGHUP, &hangup, nullptr);
  }
  struct sigaction term {};
  struct sigaction interrupt {};
  struct sigaction hangup {};
};

void (*handler_of(int signal))(int) {
  struct sigaction action {};
  sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

BOOST_FIXTURE_TEST_SUITE(caught_signals, PreviousHandlers)

BOOST_AUTO_TEST_CASE(a_signal_is_noted_and_the_program_goes_on) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    const CaughtSignals stop{Second::ends};
    BOOST_TEST(stop.first() == 0);
    std::raise(signal);
    BOOST_TEST(stop.first() == signal);
  }
  BOOST_TEST(calls_of_previous == 0);
}

BOOST_AUTO_TEST_CASE(the_handlers_before_it_are_restored) {
  {
    const CaughtSignals stop{Second::ends};
    BOOST_TEST((handler_of(SIGTERM) != previous));
    BOOST_TEST((handler_of(SIGINT) != previous));
    BOOST_TEST((handler_of(SIGHUP) != previous));
    std::raise(SIGTERM);
  }
  BOOST_TEST((handler_of(SIGTERM) == previous));
  BOOST_TEST((handler_of(SIGINT) == previous));
  BOOST_TEST((handler_of(SIGHUP) == previous));
  std::raise(SIGTERM);
  std::raise(SIGINT);
  std::raise(SIGHUP);
  BOOST_TEST(calls_of_previous == 3);
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_the_program_at_once) {
  for (const int first : {SIGTERM, SIGINT, SIGHUP}) {
    for (const int second : {SIGTERM, SIGINT}) {
      const auto child = ::fork();
      if (child == 0) {
        const CaughtSignals stop{Second::ends};
        std::raise(first);
        if (stop.first() != first) ::_exit(1);
        std::raise(second);
        ::_exit(2);
      }
      int status = 0;
      BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
      BOOST_TEST(WIFSIGNALED(status));
      BOOST_TEST(WTERMSIG(status) == second);
    }
  }
}

BOOST_AUTO_TEST_CASE(signals_to_be_passed_on_are_taken_one_by_one) {
  CaughtSignals signals{Second::is_caught};
  BOOST_TEST(signals.take() == 0);
  for (const int signal : {SIGINT, SIGINT, SIGHUP}) std::raise(signal);
  BOOST_TEST(!signals.took_any());
  for (const int signal : {SIGINT, SIGINT, SIGHUP, 0}) BOOST_TEST(signals.take() == signal);
  BOOST_TEST(signals.took(SIGINT));
  BOOST_TEST(!signals.took(SIGTERM));
  BOOST_TEST(calls_of_previous == 0);
}

BOOST_AUTO_TEST_CASE(a_signal_that_nohup_made_ignored_stays_ignored) {
  std::signal(SIGHUP, SIG_IGN);
  {
    const CaughtSignals stop{Second::ends};
    std::raise(SIGHUP);
    BOOST_TEST(stop.first() == 0);
  }
  BOOST_TEST((handler_of(SIGHUP) == SIG_IGN));
}

BOOST_AUTO_TEST_CASE(a_reader_of_the_progress_that_ends_first_does_not_end_the_run) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  const auto child = ::fork();
  if (child == 0) {
    std::signal(SIGPIPE, SIG_DFL);
    const CaughtSignals stop{Second::ends};
    ::_exit(::write(ends[1], "step", 4) == -1 ? 0 : 1);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST(WIFEXITED(status));
  ::close(ends[1]);
}

BOOST_AUTO_TEST_CASE(a_later_sitting_starts_without_the_signal_of_the_last) {
  {
    const CaughtSignals stop{Second::ends};
    std::raise(SIGTERM);
  }
  const CaughtSignals stop{Second::ends};
  BOOST_TEST(stop.first() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
