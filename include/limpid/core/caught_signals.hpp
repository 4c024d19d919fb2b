#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

namespace limpid {

/// While it lives, SIGINT, SIGTERM and SIGHUP do not end the program: it asks for them. One that
/// the program was told to ignore, as nohup does, stays ignored; so is SIGPIPE meanwhile, for a
/// reader of the progress that ends first is no reason to lose a run. One at a time.
class CaughtSignals {
 public:
  /// What a second signal does.
  enum class Second {
    ends,      ///< it ends the program at once
    is_caught  ///< as the first
  };

  explicit CaughtSignals(Second second) {
    first_ = 0;
    for (auto& count : counts_) count = 0;
    second_ends_ = second == Second::ends;
    struct sigaction action {};
    action.sa_handler = take_note;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], nullptr, &previous_[i]);
      if (previous_[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
    }
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, &previous_pipe_);
  }

  ~CaughtSignals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &previous_[i], nullptr);
    }
    sigaction(SIGPIPE, &previous_pipe_, nullptr);
  }
  CaughtSignals(const CaughtSignals&) = delete;
  CaughtSignals& operator=(const CaughtSignals&) = delete;

  /// The signal that came first, or 0.
  int first() const { return first_; }

  /// A signal that came and was not taken yet, or 0.
  int take() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      if (counts_[i] == 0) continue;
      --counts_[i];
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
  bool took_any() const {
    return std::any_of(taken_.begin(), taken_.end(), [](bool taken) { return taken; });
  }

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

  static void take_note(int signal) {
    if (second_ends_ && first_ != 0) {  // delivered once this handler returns
      std::signal(signal, SIG_DFL);
      std::raise(signal);
    }
    if (first_ == 0) first_ = signal;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      if (kSignals[i] == signal) ++counts_[i];
    }
  }

  static inline std::atomic<int> first_{0};
  static inline std::array<std::atomic<int>, kSignals.size()> counts_{};
  static inline std::atomic<bool> second_ends_{false};

  std::array<bool, kSignals.size()> taken_{};
  std::array<struct sigaction, kSignals.size()> previous_{};
  struct sigaction previous_pipe_ {};
};

}  // namespace limpid
