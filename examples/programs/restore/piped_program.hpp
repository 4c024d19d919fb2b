#pragma once

// Programs of others that run beside this one, with pipes to and from them.

#include <c10/util/Exception.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace examples {

/// Where a program of this name lies on the PATH; empty where it is not installed.
inline std::filesystem::path find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
  for (std::size_t at = 0; at <= folders.size();) {
    const auto end = std::min(folders.find(':', at), folders.size());
    const auto file = std::filesystem::path{folders.substr(at, end - at)} / name;
    if (end > at && ::access(file.c_str(), X_OK) == 0) return file;
    at = end + 1;
  }
  return {};
}

/// Which of a program's descriptors lead to this process; the others lead nowhere. Descriptor 3 is
/// for what it says beside its output.
struct PipedEnds {
  bool input = false, output = false, notes = false;
};

/// A program that this process started. It is in a process group of its own, so that Ctrl-C on a
/// terminal reaches this process only, and ends with this process, however that ends (Linux).
class PipedProgram {
 public:
  /// @param command  the program's path and its arguments
  /// @throws c10::Error if no process can be started
  PipedProgram(std::vector<std::string> command, PipedEnds ends) : name_(command.front()) {
    // All that allocates comes before fork.
    std::vector<char*> arguments;
    for (auto& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    errors_.reset(std::tmpfile());
    TORCH_CHECK(errors_ != nullptr, "cannot make a temporary file: ", std::strerror(errno));
    const auto nowhere = moved_up(::open("/dev/null", O_RDWR | O_CLOEXEC));
    std::array<int, 4> theirs{nowhere, nowhere, moved_up(::dup(::fileno(errors_.get()))), nowhere};
    const auto join = [&](int& ours, int number, bool is_read_here) {
      std::array<int, 2> pipe{-1, -1};
      TORCH_CHECK(::pipe2(pipe.data(), O_CLOEXEC) == 0,
                  "cannot make a pipe: ", std::strerror(errno));
      ours = moved_up(pipe[is_read_here ? 0 : 1]);
      theirs[static_cast<std::size_t>(number)] = moved_up(pipe[is_read_here ? 1 : 0]);
#ifdef F_SETPIPE_SZ
      if (number != 3) (void)::fcntl(ours, F_SETPIPE_SZ, 1 << 20);
#endif
    };
    if (ends.input) join(input_, STDIN_FILENO, false);
    if (ends.output) join(output_, STDOUT_FILENO, true);
    if (ends.notes) join(notes_, 3, true);
    const auto parent = ::getpid();
    id_ = ::fork();
    if (id_ == 0) become(arguments, theirs, parent);
    const int error = errno;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      if (theirs[i] != nowhere) ::close(theirs[i]);
    }
    ::close(nowhere);
    TORCH_CHECK(id_ > 0, "cannot start '", name_, "': ", std::strerror(error));
    ::setpgid(id_, id_);  // whoever comes first
  }

  ~PipedProgram() {
    for (int* end : {&input_, &output_, &notes_}) close(*end);
    if (has_ended_) return;
    ::kill(id_, SIGKILL);
    wait();
  }
  PipedProgram(const PipedProgram&) = delete;
  PipedProgram& operator=(const PipedProgram&) = delete;

  int input() const { return input_; }    ///< to write to
  int output() const { return output_; }  ///< to read from
  int notes() const { return notes_; }    ///< to read from

  /// Tells the program that its input has ended.
  void close_input() { close(input_); }

  /// Waits for its end. @return its exit code; 128 + signal where a signal ended it
  int wait() {
    int status = 0;
    while (!has_ended_) {
      const auto ended = ::waitpid(id_, &status, 0);
      if (ended < 0 && errno == EINTR) continue;
      has_ended_ = true;
      code_ = ended != id_ ? 1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return code_;
  }

  /// What it wrote to standard error: the first lines of it, in one.
  std::string errors() const {
    std::string text(1000, '\0');
    const auto count = ::pread(::fileno(errors_.get()), text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    std::string line;
    for (const char letter : text) {
      if (letter != '\n') {
        line += letter;
      } else if (line.size() > 300) {
        break;
      } else {
        line += "; ";
      }
    }
    while (!line.empty() && (line.back() == ' ' || line.back() == ';')) line.pop_back();
    return line;
  }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  /// Above the numbers that a child takes.
  static int moved_up(int descriptor) {
    const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
    TORCH_CHECK(descriptor >= 0 && moved >= 0, "cannot open a pipe: ", std::strerror(errno));
    ::close(descriptor);
    return moved;
  }

  static void close(int& descriptor) {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
  }

  // Only what POSIX allows between fork and exec.
  [[noreturn]] static void become(const std::vector<char*>& arguments,
                                  const std::array<int, 4>& theirs, pid_t parent) {
    ::setpgid(0, 0);
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (::getppid() != parent) ::_exit(127);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
    for (int number = 0; number < 4; ++number) {
      ::dup2(theirs[static_cast<std::size_t>(number)], number);
    }
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }

  std::string name_;
  std::unique_ptr<std::FILE, CloseFile> errors_;
  pid_t id_ = -1;
  int input_ = -1, output_ = -1, notes_ = -1;
  bool has_ended_ = false;
  int code_ = -1;
};

}  // namespace examples
