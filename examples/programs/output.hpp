#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/output_place.hpp>

#include <c10/util/Exception.h>
#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

// What the programs print, and their --json.
namespace examples {

/// Where text for people goes: standard output, or standard error where --json takes the output.
inline std::FILE*& text_stream() {
  static std::FILE* stream = stdout;
  return stream;
}

/// As printf. No file name can control the terminal: see `limpid::printable_lines`.
[[gnu::format(printf, 1, 2)]] inline void print(const char* format, ...) {
  std::va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  std::string text(static_cast<std::size_t>(std::vsnprintf(nullptr, 0, format, arguments)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  va_end(arguments);
  std::fputs(limpid::printable_lines(text, "").c_str(), text_stream());
}

/// Opens what the caller closed of the standard streams, in a way that cannot be used: else the
/// first file that is opened takes the number, and gets what is printed.
inline void open_standard_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    (void)::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

/// @throws c10::Error if something that was printed did not arrive.
inline void check_standard_output() {
  errno = 0;
  const bool failed = std::ferror(stdout) != 0;
  TORCH_CHECK(std::fflush(stdout) == 0 && !failed, "cannot write standard output: ",
              errno != 0 ? std::strerror(errno) : "it is full or closed");
}

/// A line of complaint on standard error, safe to show.
inline void complain(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", limpid::printable_lines(text).c_str());
}

/// Whether what is written to `path` goes to standard output, under whatever name.
inline bool is_standard_output(const std::filesystem::path& path) {
  using Kind = limpid::OutputPlace::Kind;
  if (path.empty()) return false;
  try {
    const auto place = limpid::output_place(path);
    return place.kind == Kind::standard_output ||
           (place.kind == Kind::open_descriptor && place.descriptor == STDOUT_FILENO);
  } catch (const c10::Error&) {
    return false;  // who writes there says why it cannot be
  }
}

/// Moves text for people to standard error where a file goes to standard output.
inline void leave_standard_output_to(const std::filesystem::path& path) {
  if (is_standard_output(path)) text_stream() = stderr;
}

/// Adds --json FILE.
inline void add_json(CLI::App& app, std::filesystem::path& path, const std::string& text) {
  app.add_option("--json", path, text + "; -: to standard output, and text to standard error")
      ->each([](const std::string& name) { leave_standard_output_to(name); })
      ->type_name("FILE");
}

/// Tries, before the work, whether the file that `option` names can be written; none is named where
/// `path` is empty.
inline void try_output(const std::string& option, const std::filesystem::path& path) {
  if (path.empty()) return;
  try {
    limpid::check_writable(path);
  } catch (const c10::Error& error) {
    limpid::fail(option, ": ", error.what_without_backtrace());
  }
}

/// Writes JSON to what --json named, if it named something.
template <class Json>
void write_json(const std::filesystem::path& path, const Json& json) {
  if (!path.empty()) limpid::write_atomically(path, limpid::json_text(json));
}

}  // namespace examples
