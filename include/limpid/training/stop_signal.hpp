#pragma once

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

namespace limpid {

/// While it lives, SIGINT, SIGTERM and SIGHUP ask the program to stop instead of ending it. A
/// second signal ends it at once. One that the program was told to ignore, as nohup does, stays
/// ignored; so is SIGPIPE meanwhile, for a reader of the progress that ends first is no reason to
/// lose a run.
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
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], nullptr, &previous_[i]);
      if (previous_[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
    }
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, &previous_pipe_);
  }

  ~StopSignal() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &previous_[i], nullptr);
    }
    sigaction(SIGPIPE, &previous_pipe_, nullptr);
  }

  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The signal that came, or 0.
  int signal() const { return received(); }

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

  static std::atomic<int>& received() {
    static std::atomic<int> signal{0};
    return signal;
  }

  std::array<struct sigaction, kSignals.size()> previous_{};
  struct sigaction previous_pipe_ {};
};

}  // namespace limpid
