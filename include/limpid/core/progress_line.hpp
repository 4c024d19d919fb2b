#pragma once

#include <limpid/core/printable.hpp>

#include <unistd.h>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

namespace limpid {

/// One line that says how far long work is, on standard error: rewritten in place on a terminal,
/// a new line every few seconds in a log file. Names in the texts cannot control the terminal.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet = false)
      : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

  ~ProgressLine() { end(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Whether `show` would print now; ask before a costly text.
  bool due() const {
    if (quiet_) return false;
    const auto pause =
        terminal_ ? std::chrono::milliseconds{200} : std::chrono::milliseconds{10'000};
    return !shown_ || Clock::now() - last_ >= pause;
  }

  /// Shows the text if it is due.
  void show(const std::string& text) {
    if (!due()) return;
    last_ = Clock::now();
    shown_ = true;
    const auto shown = printable(text, text.size());
    if (terminal_) {
      std::fprintf(stderr, "\r\033[K%s", shown.c_str());
      open_ = true;
    } else {
      std::fprintf(stderr, "%s\n", shown.c_str());
    }
    std::fflush(stderr);
  }

  /// Prints a line that stays.
  void say(const std::string& text) {
    if (quiet_) return;
    std::fprintf(stderr, "%s%s\n", open_ ? "\r\033[K" : "", printable_lines(text).c_str());
    std::fflush(stderr);
    open_ = false;
  }

  /// Leaves what stands on the terminal's line and goes to the next.
  void end() {
    if (open_) std::fputc('\n', stderr);
    open_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool quiet_;
  bool terminal_;
  bool shown_ = false;
  bool open_ = false;
  Clock::time_point last_{};
};

/// "1:02:03", "12:34" or "0:07".
inline std::string duration_text(double seconds) {
  const auto whole = std::llround(std::fmax(0.0, seconds));
  char text[32];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  }
  return text;
}

}  // namespace limpid
