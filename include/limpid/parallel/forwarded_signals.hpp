#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

namespace limpid {

/// While it lives, SIGINT, SIGTERM and SIGHUP are kept for who takes them, to be passed on to child
/// processes. One that the program was told to ignore stays ignored; so is SIGPIPE meanwhile.
class ForwardedSignals {
 public:
  ForwardedSignals() {
    for (auto& count : counts()) count = 0;
    struct sigaction action {};
    action.sa_handler = [](int signal) {
      for (std::size_t i = 0; i < kSignals.size(); ++i) {
        if (kSignals[i] == signal) ++counts()[i];
      }
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

  ~ForwardedSignals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &previous_[i], nullptr);
    }
    sigaction(SIGPIPE, &previous_pipe_, nullptr);
  }
  ForwardedSignals(const ForwardedSignals&) = delete;
  ForwardedSignals& operator=(const ForwardedSignals&) = delete;

  /// A signal that came and was not taken yet, or 0.
  int take() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      if (counts()[i] == 0) continue;
      --counts()[i];
      taken_[i] = true;
      return kSignals[i];
    }
    return 0;
  }

  /// Whether `signal` was taken.
  bool took(int signal) const {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      if (kSignals[i] == signal) return taken_[i];
    }
    return false;
  }

  /// Whether any was taken.
  bool any() const {
    return std::any_of(taken_.begin(), taken_.end(), [](bool taken) { return taken; });
  }

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

  static std::array<std::atomic<int>, kSignals.size()>& counts() {
    static std::array<std::atomic<int>, kSignals.size()> counts{};
    return counts;
  }

  std::array<bool, kSignals.size()> taken_{};
  std::array<struct sigaction, kSignals.size()> previous_{};
  struct sigaction previous_pipe_ {};
};

}  // namespace limpid
