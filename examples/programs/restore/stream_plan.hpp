#pragma once

// What the command line says of pipes, videos and folders that are watched.

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "../program.hpp"
#include "compare.hpp"
#include "pipes.hpp"
#include "video_facts.hpp"

namespace examples {

/// What the command line says of them.
struct Streams {
  Comparison comparison;
  RawSize raw;
  std::filesystem::path watched;
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path out;  ///< empty: beside what is read
  std::filesystem::path json;
  std::string format;  ///< empty: as the picture's
  bool recursive = false, overwrite = false, skip_existing = false;

  bool is_raw() const { return raw.width > 0; }
  bool is_piped() const { return inputs.size() == 1 && inputs.front() == "-"; }
  bool is_video() const {
    return std::any_of(inputs.begin(), inputs.end(),
                       [](const auto& input) { return is_video_file(input); });
  }

  /// Whether there is something to do that is no batch of files.
  /// @throws UsageError for what cannot be together
  bool are_wanted() const {
    const bool is_watching = !watched.empty();
    if ((is_raw() && (is_watching || (!inputs.empty() && !is_piped()))) ||
        (is_watching && !inputs.empty())) {
      throw UsageError(std::string{is_raw() ? "--raw" : "--watch"} +
                       ": expected no other pictures, got '" +
                       (inputs.empty() ? watched : inputs.front()).string() + "'");
    }
    if (!is_raw() && !is_watching && inputs.empty()) throw UsageError("IMAGE is required");
    for (const auto& input : inputs) {
      if (input == "-" && inputs.size() > 1) throw UsageError("-: expected no other pictures");
    }
    if (comparison.is_wanted && (is_raw() || is_piped() || is_video())) {
      throw UsageError("--compare: expected pictures in files");
    }
    for (const auto& word : comparison.pictures) {
      if (word.has_extension() || std::filesystem::exists(word)) continue;
      throw UsageError("--compare: expected a page, NAME.html, or a picture that is there, got '" +
                       word.string() + "'");
    }
    if (comparison.is_wanted && is_watching && !comparison.page.empty()) {
      throw UsageError("--compare: a page is written when all is done, which --watch never is");
    }
    if (!json.empty() && (is_raw() || is_watching || is_piped())) {
      throw UsageError("--json: expected pictures or videos in files");
    }
    return is_raw() || is_watching || is_piped() || is_video();
  }
};

/// Adds --raw, --watch and --compare.
inline void add_streams(CLI::App& app, Streams& streams) {
  add_compare(app, streams.comparison);
  app.add_option("--watch", streams.watched,
                 "Restore the pictures of a folder, and new ones as they arrive, until Ctrl-C; "
                 "results that are there stay")
      ->check(CLI::Validator{CLI::ExistingDirectory}.description(""))
      ->type_name("DIR");
  add_raw(app, streams.raw);
}

}  // namespace examples
