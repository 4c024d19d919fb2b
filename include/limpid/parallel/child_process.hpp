#pragma once

#include <c10/util/Exception.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace limpid {

/// Where a child's standard output and error go.
enum class ChildOutput {
  shared,  ///< where this process' go
  kept,    ///< its errors to this process, which keeps the last of them; its output nowhere
};

/// A program that this process started. It is in a process group of its own, so that a terminal's
/// Ctrl-C reaches it through this process only; where the system can tell (Linux), it gets SIGTERM
/// when this process ends, however that ends.
class ChildProcess {
 public:
  /// @param command      the program's path and its arguments
  /// @param environment  variables to set beside those of this process
  /// @throws c10::Error if no process can be started
  ChildProcess(const std::vector<std::string>& command,
               const std::vector<std::pair<std::string, std::string>>& environment,
               ChildOutput output) {
    // All that allocates comes before fork.
    auto words = command;
    auto variables = variables_with(environment);
    const auto argv = pointers_to(words), envp = pointers_to(variables);
    std::array<int, 2> pipe{-1, -1};
    if (output == ChildOutput::kept) {
      TORCH_CHECK(::pipe2(pipe.data(), O_CLOEXEC) == 0,
                  "cannot make a pipe: ", std::strerror(errno));
    }
    const auto parent = ::getpid();
    id_ = ::fork();
    if (id_ == 0) {
      become(argv, envp, pipe[1], parent);
    }
    if (id_ > 0) ::setpgid(id_, id_);  // whoever comes first
    if (pipe[1] >= 0) ::close(pipe[1]);
    errors_ = pipe[0];
    if (errors_ >= 0) ::fcntl(errors_, F_SETFL, O_NONBLOCK);
    TORCH_CHECK(id_ > 0, "cannot start '", command.front(), "': ", std::strerror(errno));
  }

  ~ChildProcess() {
    if (!has_ended()) {
      ::kill(-id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
    if (errors_ >= 0) ::close(errors_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Takes in what has happened to it. @return whether it runs
  bool look() {
    read_errors();
    int status = 0;
    while (!has_ended() && ::waitpid(id_, &status, WNOHANG | WUNTRACED | WCONTINUED) == id_) {
      if (WIFSTOPPED(status)) {
        stopped_at_ = Clock::now();
      } else if (WIFCONTINUED(status)) {
        stopped_at_.reset();
      } else {
        exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        read_errors();
      }
    }
    return !has_ended();
  }

  void send(int signal) const {
    if (!has_ended()) ::kill(id_, signal);
  }

  /// Ends it at once, and what it has started.
  void kill() {
    if (has_ended() || was_killed_) return;
    was_killed_ = true;
    ::kill(-id_, SIGKILL);
  }

  bool has_ended() const { return exit_code_ >= 0; }
  int exit_code() const { return exit_code_; }     ///< 128 + signal where a signal ended it
  bool was_killed() const { return was_killed_; }  ///< by `kill`
  int errors() const { return errors_; }           ///< to wait for what it says, or -1

  /// How long a SIGSTOP has kept it from running; 0 where none does.
  std::chrono::milliseconds stopped_for() const {
    if (has_ended() || !stopped_at_) return {};
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - *stopped_at_);
  }

  /// The last line that it wrote to standard error, as far as that is kept.
  std::string last_line() const {
    auto text = said_;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    const auto end = text.find_last_of("\n\r");
    return end == text.npos ? text : text.substr(end + 1);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kKeptBytes = 1 << 16;

  static std::vector<std::string> variables_with(
      const std::vector<std::pair<std::string, std::string>>& more) {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string text = *variable;
      const bool is_replaced = std::any_of(more.begin(), more.end(), [&](const auto& other) {
        return text.compare(0, other.first.size() + 1, other.first + "=") == 0;
      });
      if (!is_replaced) variables.push_back(text);
    }
    for (const auto& [name, value] : more) variables.push_back(name + "=" + value);
    return variables;
  }

  static std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  // Only what POSIX allows between fork and exec.
  [[noreturn]] static void become(const std::vector<char*>& argv, const std::vector<char*>& envp,
                                  int errors, pid_t parent) {
    ::setpgid(0, 0);
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    if (::getppid() != parent) ::_exit(127);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
      struct sigaction now {};
      ::sigaction(signal, nullptr, &now);
      if (now.sa_handler != SIG_IGN || signal == SIGPIPE) ::signal(signal, SIG_DFL);
    }
    if (errors >= 0) {
      const int nowhere = ::open("/dev/null", O_WRONLY);
      ::dup2(nowhere, STDOUT_FILENO);
      ::dup2(errors, STDERR_FILENO);
    }
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }

  void read_errors() {
    if (errors_ < 0) return;
    std::array<char, 4096> part;
    ssize_t count = 0;
    while ((count = ::read(errors_, part.data(), part.size())) > 0) {
      said_.append(part.data(), static_cast<std::size_t>(count));
    }
    if (count == 0) {  // closed: nothing to wait for any more
      ::close(errors_);
      errors_ = -1;
    }
    if (said_.size() > kKeptBytes) said_.erase(0, said_.size() - kKeptBytes);
  }

  pid_t id_ = -1;
  int errors_ = -1;
  int exit_code_ = -1;
  bool was_killed_ = false;
  std::optional<Clock::time_point> stopped_at_;
  std::string said_;
};

/// Waits until one of `children` says something, at most `time`.
template <class Children>
void wait_for_output(const Children& children, std::chrono::milliseconds time) {
  std::vector<pollfd> descriptors;
  for (const auto& child : children) {
    if (child.errors() >= 0 && !child.has_ended()) {
      descriptors.push_back({child.errors(), POLLIN, 0});
    }
  }
  ::poll(descriptors.data(), descriptors.size(), static_cast<int>(time.count()));
}

}  // namespace limpid
