#pragma once

// A program of several commands, each with options of its own.

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

namespace examples {

class Subcommands {
 public:
  /// One of them must be named.
  explicit Subcommands(CLI::App& app) : app_(app) { app.require_subcommand(1); }

  /// @param add  adds the command to the line, which from then on sets its options
  /// @param run  does it with them; returns nothing or an exit code
  template <class Options, class Run>
  void add(CLI::App* (*add)(CLI::App&, Options&), Run run) {
    const auto options = std::make_shared<Options>();
    auto* const command = add(app_, *options);
    commands_.push_back({command, [options, run] {
                           if constexpr (std::is_void_v<std::invoke_result_t<Run, Options&>>) {
                             run(*options);
                             return 0;
                           } else {
                             return run(*options);
                           }
                         }});
  }

  /// Runs the one that was named. @return its exit code.
  int run() const {
    for (const auto& command : commands_) {
      if (command.parser->parsed()) return command.run();
    }
    return 0;
  }

 private:
  struct Command {
    CLI::App* parser;
    std::function<int()> run;
  };
  CLI::App& app_;
  std::vector<Command> commands_;
};

}  // namespace examples
