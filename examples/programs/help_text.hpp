#pragma once

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// How `--help` looks: within 98 columns, in the order in which a user needs the options.
namespace examples {

/// A word in pieces of at most `width` letters, each but the last ending in '+', ',' or '|'.
inline std::vector<std::string> pieces_of(std::string word, std::size_t width) {
  std::vector<std::string> pieces;
  while (word.size() > width) {
    const auto cut = word.find_last_of("+,|", width - 1);
    if (cut == word.npos) break;
    pieces.push_back(word.substr(0, cut + 1));
    word.erase(0, cut + 1);
  }
  pieces.push_back(word);
  return pieces;
}

/// `text` in lines of at most `width` letters, broken at spaces, and longer words in `pieces_of`.
/// Lines of the text stay lines, and what does not fit stands below its line, with `indent` before.
inline std::vector<std::string> wrapped(const std::string& text, std::size_t width,
                                        const std::string& indent = {}) {
  std::vector<std::string> lines;
  std::istringstream all{text};
  for (std::string line; std::getline(all, line);) {
    const bool is_first = lines.empty();
    std::istringstream words{line};
    std::string current;
    for (std::string word; words >> word;) {
      for (const auto& piece : pieces_of(word, width - indent.size() - 1)) {
        if (current.find_first_not_of(' ') == current.npos) {
          current += piece;
        } else if (current.size() + 1 + piece.size() <= width) {
          current += " " + piece;
        } else {
          lines.push_back(current);
          current = (is_first ? "" : indent) + piece;
        }
      }
    }
    lines.push_back(current);
  }
  return lines;
}

/// What a list of commands says of one: the first sentence of its description.
inline std::string first_sentence(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.substr(0, text.find(". "));
}

class HelpText : public CLI::Formatter {
 public:
  static constexpr std::size_t kWidth = 98, kColumn = 28;

  std::string make_description(const CLI::App* app) const override {
    return paragraph(app->get_description());
  }

  std::string make_footer(const CLI::App* app) const override {
    return app->get_footer().empty() ? "" : "\n" + paragraph(app->get_footer());
  }

  /// What must be given stands in the usage.
  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string line = "Usage: " + name;
    for (const auto* option : all_options(app)) {
      if (option->nonpositional() && option->get_required()) {
        line += " " + option->get_name() + " " + type_of(option);
      }
    }
    line += " [OPTIONS]";
    for (const auto* option : all_options(app)) {
      if (option->get_positional()) line += " " + make_option_usage(option);
    }
    if (!named_commands(app).empty()) line += " COMMAND";
    return paragraph(line);
  }

  /// Groups stand in their order, and "Options", which holds what all programs have, at the end.
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode /*mode*/) const override {
    auto text = make_description(app) + "\n" + make_usage(app, name) + make_positionals(app);
    for (const auto& group : app->get_groups()) {
      if (group != "Options") text += own_group(app, group);
    }
    for (const auto* group : option_groups(app)) text += make_expanded(group);
    if (const auto commands = named_commands(app); !commands.empty()) {
      text += "\nCommands, each with --help:\n";
      for (const auto* command : commands) {
        text += entry(command->get_name(), first_sentence(command->get_description()));
      }
    }
    return text + own_group(app, "Options") + make_footer(app);
  }

  /// A group of options.
  std::string make_expanded(const CLI::App* group) const override {
    const auto& about = group->get_description();
    auto text = "\n" + group->get_group() + (about.empty() ? "" : " (" + about + ")") + ":\n";
    for (const auto* option : options_of(group)) text += make_option(option, false);
    return text;
  }

  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    auto text = "\n" + group + ":\n";
    for (const auto* option : options) text += make_option(option, is_positional);
    return text;
  }

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    auto name = make_option_name(option, is_positional);
    if (const auto comma = name.find(','); comma != name.npos) name.insert(comma + 1, " ");
    if (!is_positional && option->get_type_size() != 0) name += " " + type_of(option);
    auto text = option->get_description();
    const auto names = [](const std::set<CLI::Option*>& options) {
      std::string list;
      for (const auto* other : options) list += (list.empty() ? "" : ", ") + other->get_name();
      return list;
    };
    if (!option->get_needs().empty()) text += " (with " + names(option->get_needs()) + ")";
    if (!option->get_excludes().empty()) {
      text += " (not with " + names(option->get_excludes()) + ")";
    }
    if (const auto value = option->get_default_str(); !value.empty()) text += " [" + value + "]";
    return entry(name, text);
  }

 private:
  static std::vector<const CLI::Option*> all_options(const CLI::App* app) {
    auto options = app->get_options();
    for (const auto* group : option_groups(app)) {
      for (const auto* option : options_of(group)) options.push_back(option);
    }
    return options;
  }

  /// The options of a group, without the --help that CLI11 gives each.
  static std::vector<const CLI::Option*> options_of(const CLI::App* group) {
    return group->get_options([&](const auto* option) { return option != group->get_help_ptr(); });
  }

  std::string own_group(const CLI::App* app, const std::string& group) const {
    const auto options = app->get_options([&](const auto* option) {
      return option->nonpositional() && option->get_group() == group;
    });
    return group.empty() || options.empty() ? "" : make_group(group, false, options);
  }

  static std::vector<const CLI::App*> option_groups(const CLI::App* app) {
    return app->get_subcommands([](const auto* group) { return group->get_name().empty(); });
  }

  static std::vector<const CLI::App*> named_commands(const CLI::App* app) {
    return app->get_subcommands([](const auto* command) { return !command->get_name().empty(); });
  }

  /// "FILE", or "cpu|cuda" for an option that takes one of these.
  static std::string type_of(const CLI::Option* option) {
    auto type = option->get_type_name();
    const auto open = type.find('{'), close = type.find('}');
    if (open != type.npos && close != type.npos) {
      type = type.substr(open + 1, close - open - 1);
      std::replace(type.begin(), type.end(), ',', '|');
    }
    const bool takes_many = option->get_expected_max() == CLI::detail::expected_max_vector_size;
    return type + (takes_many ? " ..." : "");
  }

  static std::string paragraph(const std::string& text) {
    std::string all;
    for (const auto& line : wrapped(text, kWidth)) all += line + "\n";
    return all;
  }

  /// A name and, in the column beside it or below, what it means.
  static std::string entry(const std::string& name, const std::string& text) {
    auto all = "  " + name;
    bool fits = all.size() + 2 <= kColumn;
    for (const auto& line : wrapped(text, kWidth - kColumn, "  ")) {
      all += fits ? std::string(kColumn - all.size(), ' ') : "\n" + std::string(kColumn, ' ');
      all += line;
      fits = false;
    }
    return all + "\n";
  }
};

/// Gives an app and all its commands this help.
inline void format_help(CLI::App& app) {
  const auto formatter = std::make_shared<HelpText>();
  formatter->label("Positionals", "Arguments");
  app.formatter(formatter);
  for (auto* command : app.get_subcommands({})) command->formatter(formatter);
}

}  // namespace examples
