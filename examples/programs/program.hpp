#pragma once

#include <limpid/core/errors.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/core/progress_line.hpp>
#include <limpid/io/picture_losses.hpp>
#include <limpid/io/regular_file.hpp>
#include <limpid/version.hpp>

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "help_text.hpp"
#include "numbers.hpp"
#include "output.hpp"

// What the programs share: command lines, errors, threads.
namespace examples {

/// How far long work is, on standard error.
using Progress = limpid::ProgressLine;

/// Wrong usage that a command line's parser cannot see; the program ends with 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// In all commands: a key of a `--config` file that is no option is an error, and so is what is no
/// whole number where an option takes N.
inline void refuse_nonsense(CLI::App& app) {
  app.allow_config_extras(CLI::config_extras_mode::error);
  for (auto* option : app.get_options()) {
    if (option->get_type_name() == "N") option->check(Whole{0});
  }
  for (auto* command : app.get_subcommands({})) refuse_nonsense(*command);
}

/// Takes files of bytes, not pipes or devices, whose reading may wait for ever.
inline CLI::Validator regular_file() {
  return CLI::Validator{[](std::string& path) -> std::string {
                          const auto problem = limpid::why_not_regular(path);
                          return problem.empty() ? problem : "'" + path + "': " + problem;
                        },
                        ""};
}

/// Parses the command line, with `--version` and `--config FILE`, and runs `body`, which returns
/// nothing or an exit code.
///
/// Errors go to standard error as "NAME: text", NAME being the app's; no file name in them can
/// control the terminal. Before them stands what pictures lost when they were read or written, one
/// line for each kind. What was printed and did not arrive is an error too.
/// @return 0 done, 1 failed, 2 wrong usage.
template <class Body>
int run_program(CLI::App& app, int argc, char** argv, Body body) {
  open_standard_streams();
  const auto tell = [&](const std::string& text) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), limpid::printable_lines(text).c_str());
  };
  const auto tell_losses = [&] {
    for (const auto& line : limpid::PictureLosses::of_process().take_lines()) tell("note: " + line);
  };
  const auto fail = [&](const std::string& text, int code) {
    tell_losses();
    tell(text);
    return code;
  };
  app.set_version_flag("--version", app.get_name() + ", limpid " + limpid::kVersion);
  app.set_config("--config", "", "Read options from a file: lines NAME = VALUE, as TOML")
      ->check(regular_file())
      ->type_name("FILE");
  refuse_nonsense(app);
  format_help(app);
  try {
    int code = 0;
    try {
      auto words = arranged(app, {argv + 1, argv + argc});
      std::reverse(words.begin(), words.end());  // as CLI11 takes them
      app.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() != 0) throw UsageError(error.what());
      app.exit(error);  // --help
      check_standard_output();
      return 0;
    }
    if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
      body();
    } else {
      code = body();
    }
    tell_losses();
    check_standard_output();
    return code;
  } catch (const UsageError& error) {
    return fail(std::string{error.what()} + " (see --help)", 2);
  } catch (const std::exception& error) {
    return fail(limpid::error_text(error), 1);
  }
}

/// Adds a file, folder or other word that must be given and has no option before it.
template <class Value>
void add_operand(CLI::App& app, const std::string& name, Value& value, const std::string& text) {
  app.add_option(name, value, text)->required()->type_name("");
}

/// Adds --threads, which LibTorch's operators use. Debian's LibTorch takes one thread by default;
/// this takes all cores, from the moment it is called.
inline void add_threads(CLI::App& app, int& threads) {
  threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  at::set_num_threads(threads);
  app.add_option_function<int>(
         "--threads",
         [&threads](int count) {
           threads = count;
           at::set_num_threads(count);
         },
         "Threads to use [all " + std::to_string(threads) + " cores]")
      ->check(Whole{1, 1024})
      ->type_name("N");
}

}  // namespace examples
