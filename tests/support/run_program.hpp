#pragma once

#include <support/paths.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// limpid's programs as a user runs them.
namespace limpid_test {

/// How a program ended, and what it printed.
struct Ended {
  int code = -1;  ///< exit code; 128 + signal where a signal ended it
  std::string out;
  std::string err;
};

/// A program that runs beside the test; it is ended with the object.
class Running {
 public:
  /// @param words    the program's name in the folder of built programs, and its arguments
  /// @param in_child  called in the child before the program starts
  explicit Running(std::vector<std::string> words, const std::function<void()>& in_child = {}) {
    auto folder = (std::filesystem::temp_directory_path() / "limpid-run-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    folder_ = folder;
    words[0] = (programs_folder() / words[0]).string();
    if (!std::filesystem::exists(words[0])) throw std::runtime_error("not built: " + words[0]);
    const auto out = (folder_ / "out").string(), err = (folder_ / "err").string();
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    child_ = ::fork();
    if (child_ < 0) throw std::runtime_error("fork failed");
    if (child_ == 0) {
      const auto redirect = [](const char* file, int descriptor) {
        ::dup2(::open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600), descriptor);
      };
      redirect(out.c_str(), STDOUT_FILENO);
      redirect(err.c_str(), STDERR_FILENO);
      if (in_child) in_child();
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
  }

  ~Running() {
    if (!ended_) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void send(int signal) const { ::kill(child_, signal); }

  /// Its process.
  pid_t id() const { return child_; }

  /// What it has printed on standard error so far.
  std::string err() const { return read(folder_ / "err"); }

  /// Waits until `condition` holds. @return whether it did before the program ended or 60 s passed.
  bool wait_until(const std::function<bool()>& condition) {
    for (int i = 0; i < 3000; ++i) {
      if (condition()) return true;
      if (poll()) return condition();
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return false;
  }

  /// Waits for the end. @throws std::runtime_error after 120 s.
  Ended wait() {
    for (int i = 0; !poll(); ++i) {
      if (i > 12'000) throw std::runtime_error("a program did not end within 120 s:\n" + err());
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return {WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_),
            read(folder_ / "out"), err()};
  }

 private:
  bool poll() {
    if (!ended_) ended_ = ::waitpid(child_, &status_, WNOHANG) == child_;
    return ended_;
  }

  static std::string read(const std::filesystem::path& path) {
    std::ifstream stream{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }

  std::filesystem::path folder_;
  pid_t child_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

/// Runs a program to its end: `run({"limpid-data", "--help"})`.
inline Ended run(std::vector<std::string> words, const std::function<void()>& in_child = {}) {
  return Running{std::move(words), in_child}.wait();
}

/// To call in a child: files that it writes hold at most `bytes`, as on a disk that is full.
inline std::function<void()> with_full_disk(rlim_t bytes) {
  return [bytes] {
    ::signal(SIGXFSZ, SIG_IGN);  // writes then fail, and the program may say so
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  };
}

}  // namespace limpid_test
