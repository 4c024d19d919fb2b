#pragma once

#include <limpid/core/compiled.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>

#ifdef LIMPID_BODIES
#include <unistd.h>
#endif

namespace limpid::detail {

inline constexpr std::array kEndingSignals{SIGHUP,  SIGINT,  SIGQUIT, SIGABRT,
                                           SIGPIPE, SIGTERM, SIGXCPU, SIGXFSZ};

/// What a signal that ends the program removes.
struct NamesToRemove {
  std::mutex mutex;
  int users = 0;
  pid_t process = 0;  // a child between fork and exec must not remove its parent's files
  std::array<bool, kEndingSignals.size()> is_ours{};
  std::array<std::atomic<const char*>, 64> names{};
};
inline NamesToRemove names_to_remove;

/// While it lives, a signal that ends the program removes the file of this name first. Signals that
/// the program handles or ignores stay its own.
class RemovedOnSignal {
 public:
  explicit RemovedOnSignal(std::string path);

  ~RemovedOnSignal() {
    const std::lock_guard lock{names_to_remove.mutex};
    if (slot_ != nullptr) slot_->store(nullptr);
    if (--names_to_remove.users == 0) restore();
  }
  RemovedOnSignal(const RemovedOnSignal&) = delete;
  RemovedOnSignal& operator=(const RemovedOnSignal&) = delete;

 private:
  // Only what POSIX allows in a handler: unlink, signal, raise, lock-free atomics.
  static void on_signal(int signal);

  static void install();

  static void restore();

  std::string path_;
  std::atomic<const char*>* slot_ = nullptr;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE RemovedOnSignal::RemovedOnSignal(std::string path) : path_(std::move(path)) {
  const std::lock_guard lock{names_to_remove.mutex};
  if (names_to_remove.users++ == 0) install();
  for (auto& name : names_to_remove.names) {
    if (name.load() != nullptr) continue;
    name.store(path_.c_str());
    slot_ = &name;
    break;
  }
}

LIMPID_INLINE void RemovedOnSignal::on_signal(int signal) {
  if (::getpid() == names_to_remove.process) {
    for (const auto& name : names_to_remove.names) {
      if (const char* path = name.load()) ::unlink(path);
    }
  }
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

LIMPID_INLINE void RemovedOnSignal::install() {
  names_to_remove.process = ::getpid();
  for (std::size_t i = 0; i < kEndingSignals.size(); ++i) {
    struct sigaction before {};
    ::sigaction(kEndingSignals[i], nullptr, &before);
    const bool is_default = (before.sa_flags & SA_SIGINFO) == 0 && before.sa_handler == SIG_DFL;
    names_to_remove.is_ours[i] = is_default;
    if (is_default) ::signal(kEndingSignals[i], on_signal);
  }
}

LIMPID_INLINE void RemovedOnSignal::restore() {
  for (std::size_t i = 0; i < kEndingSignals.size(); ++i) {
    if (!names_to_remove.is_ours[i]) continue;
    struct sigaction now {};
    ::sigaction(kEndingSignals[i], nullptr, &now);
    if ((now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == on_signal) {
      ::signal(kEndingSignals[i], SIG_DFL);
    }
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
