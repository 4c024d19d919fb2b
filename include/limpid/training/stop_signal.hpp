#pragma once

#include <atomic>
#include <csignal>

namespace limpid {

/// While it lives, SIGINT and SIGTERM ask the program to stop instead of ending it. A second signal
/// ends it at once.
class StopSignal {
 public:
  StopSignal() {
    received() = 0;
    struct sigaction action {};
    action.sa_handler = [](int signal) {
      if (received() != 0) {  // delivered once this handler returns
        std::signal(signal, SIG_DFL);
        std::raise(signal);
      }
      received() = signal;
    };
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, &previous_int_);
    sigaction(SIGTERM, &action, &previous_term_);
  }

  ~StopSignal() {
    sigaction(SIGINT, &previous_int_, nullptr);
    sigaction(SIGTERM, &previous_term_, nullptr);
  }

  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The signal that came, or 0.
  int signal() const { return received(); }

 private:
  static std::atomic<int>& received() {
    static std::atomic<int> signal{0};
    return signal;
  }

  struct sigaction previous_int_ {};
  struct sigaction previous_term_ {};
};

}  // namespace limpid
