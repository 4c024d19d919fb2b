#pragma once

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

// The words of a command line, so arranged that the order in which a user wrote options and files
// does not matter.
namespace examples {

namespace detail {

/// The option that a word names, or nullptr: "--task", "--task=a", "-o".
inline const CLI::Option* option_of(const CLI::App& app, const std::string& word) {
  if (word.size() < 2 || word[0] != '-') return nullptr;
  return app.get_option_no_throw(word.substr(0, word.find('=')));
}

/// The place of the first word behind a program's leading options and their values.
inline std::size_t behind_options(const CLI::App& app, const std::vector<std::string>& words) {
  std::size_t place = 0;
  while (place < words.size()) {
    const auto* option = option_of(app, words[place]);
    if (option == nullptr) break;
    const bool has_value = words[place].find('=') != std::string::npos;
    place += 1 + (has_value ? 0 : static_cast<std::size_t>(option->get_items_expected_min()));
  }
  return std::min(place, words.size());
}

/// How many files and other words without an option a program wants at least.
inline std::size_t count_positionals(const CLI::App& app) {
  int count = 0;
  for (const auto* option : app.get_options()) {
    if (option->get_positional()) count += std::max(1, option->get_items_expected_min());
  }
  return static_cast<std::size_t>(count);
}

/// The words of a command line, by whether they belong to an option.
struct Words {
  struct Many {               ///< an option that takes several values, and those
    std::size_t first, last;  ///< places in `options`
    std::size_t before;       ///< how many free words stand before it
  };
  std::vector<std::string> options, free;
  std::vector<Many> many;
};

inline Words sort_words(const CLI::App& app, const std::vector<std::string>& all) {
  Words words;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == "--") {  // what follows is free, whatever it looks like
      words.free.insert(words.free.end(), all.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                        all.end());
      break;
    }
    const auto* option = option_of(app, all[i]);
    const bool is_free = option == nullptr && (all[i].empty() || all[i][0] != '-' || all[i] == "-");
    if (is_free) {
      words.free.push_back(all[i]);
      continue;
    }
    words.options.push_back(all[i]);
    if (option == nullptr || all[i].find('=') != all[i].npos) continue;
    const auto most = static_cast<std::size_t>(std::max(0, option->get_items_expected_max()));
    const auto first = words.options.size();
    for (std::size_t taken = 0; taken < most && i + 1 < all.size(); ++taken) {
      const bool ends = all[i + 1] == "--" || option_of(app, all[i + 1]) != nullptr;
      if (ends && taken >= static_cast<std::size_t>(option->get_items_expected_min())) break;
      words.options.push_back(all[++i]);
    }
    if (most > static_cast<std::size_t>(option->get_items_expected_min())) {
      words.many.push_back({first, words.options.size(), words.free.size()});
    }
  }
  return words;
}

}  // namespace detail

/// The words behind a program's name with files first, then options. An option that takes several
/// values keeps only as many as leave the program its files: of `--task a b IN OUT` the first two.
inline std::vector<std::string> arranged(const CLI::App& app, std::vector<std::string> all) {
  const auto* active = &app;
  std::vector<std::string> result;  // names of subcommands, with what stands before each
  while (true) {
    const auto place = detail::behind_options(*active, all);
    if (place == all.size()) break;
    const auto subs =
        active->get_subcommands([&](const CLI::App* sub) { return sub->check_name(all[place]); });
    if (subs.empty()) break;
    active = subs.front();
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(place) + 1;
    result.insert(result.end(), all.begin(), end);
    all.erase(all.begin(), end);
  }
  auto words = detail::sort_words(*active, all);
  const auto wanted = detail::count_positionals(*active);
  const bool ends_with_many = !words.many.empty() && words.many.back().last == words.options.size();
  for (auto many = words.many.rbegin(); many != words.many.rend(); ++many) {
    while (words.free.size() < wanted && many->last - many->first > 1) {
      const auto last = words.options.begin() + static_cast<std::ptrdiff_t>(--many->last);
      words.free.insert(words.free.begin() + static_cast<std::ptrdiff_t>(many->before), *last);
      words.options.erase(last);
    }
  }
  const auto append = [&](const std::vector<std::string>& more) {
    result.insert(result.end(), more.begin(), more.end());
  };
  const bool are_plain = std::none_of(words.free.begin(), words.free.end(), [](const auto& word) {
    return word.size() > 1 && word[0] == '-';
  });
  if (are_plain) append(words.free);
  append(words.options);
  if (are_plain) return result;
  append(std::vector<std::string>(ends_with_many ? 2 : 1, "--"));  // the first ends the values
  append(words.free);
  return result;
}

}  // namespace examples
