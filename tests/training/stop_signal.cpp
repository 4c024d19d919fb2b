#include <limpid/training/stop_signal.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

namespace {

using limpid::StopSignal;

int calls_of_previous = 0;

void previous(int) { ++calls_of_previous; }

/// Our own handler of both signals, while the object lives.
struct PreviousHandlers {
  PreviousHandlers() {
    struct sigaction action {};
    action.sa_handler = previous;
    sigaction(SIGTERM, &action, &term);
    sigaction(SIGINT, &action, &interrupt);
    calls_of_previous = 0;
  }
  ~PreviousHandlers() {
    sigaction(SIGTERM, &term, nullptr);
    sigaction(SIGINT, &interrupt, nullptr);
  }
  struct sigaction term {};
  struct sigaction interrupt {};
};

void (*handler_of(int signal))(int) {
  struct sigaction action {};
  sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

BOOST_FIXTURE_TEST_SUITE(stop_signal, PreviousHandlers)

BOOST_AUTO_TEST_CASE(a_signal_is_noted_and_the_program_goes_on) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const StopSignal stop;
    BOOST_TEST(stop.signal() == 0);
    std::raise(signal);
    BOOST_TEST(stop.signal() == signal);
  }
  BOOST_TEST(calls_of_previous == 0);
}

BOOST_AUTO_TEST_CASE(the_handlers_before_it_are_restored) {
  {
    const StopSignal stop;
    BOOST_TEST((handler_of(SIGTERM) != previous));
    BOOST_TEST((handler_of(SIGINT) != previous));
    std::raise(SIGTERM);
  }
  BOOST_TEST((handler_of(SIGTERM) == previous));
  BOOST_TEST((handler_of(SIGINT) == previous));
  std::raise(SIGTERM);
  std::raise(SIGINT);
  BOOST_TEST(calls_of_previous == 2);
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_the_program_at_once) {
  for (const int first : {SIGTERM, SIGINT}) {
    for (const int second : {SIGTERM, SIGINT}) {
      const auto child = ::fork();
      if (child == 0) {
        const StopSignal stop;
        std::raise(first);
        if (stop.signal() != first) ::_exit(1);
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

BOOST_AUTO_TEST_CASE(a_later_sitting_starts_without_the_signal_of_the_last) {
  {
    const StopSignal stop;
    std::raise(SIGTERM);
  }
  const StopSignal stop;
  BOOST_TEST(stop.signal() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
