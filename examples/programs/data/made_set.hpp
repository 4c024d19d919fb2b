#pragma once

// Sets that subcommands of limpid-data make: never mixed with, or written over, what is there.

#include <limpid/core/check.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/json_file.hpp>
#include <limpid/version.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "folders.hpp"

namespace examples {

/// What happens to a set that is there.
struct Existing {
  bool overwrite = false;  ///< it is removed first
  bool skip = false;       ///< what is whole of it stays, and the rest is made
};

/// Adds --overwrite and --skip-existing.
inline void add_existing(CLI::App& app, Existing& existing) {
  auto* overwrite = app.add_flag("--overwrite", existing.overwrite,
                                 "Remove the set that an earlier run made there, and make it anew");
  app.add_flag("--skip-existing", existing.skip,
               "Go on with a set that was cut off: keep what is there of it. Only with the same "
               "settings")
      ->excludes(overwrite);
}

/// Adds --overwrite, for a single file.
/// @param what  what is replaced
inline void add_overwrite(CLI::App& app, bool& overwrite, const std::string& what = "FILE") {
  app.add_flag("--overwrite", overwrite, "Replace " + what + " where it is there");
}

/// Stops where a file that shall be made is there or cannot be written.
inline void check_new_file(const std::string& option, const fs::path& file, bool overwrite) {
  std::error_code ignored;
  TORCH_CHECK(overwrite || !fs::is_regular_file(file, ignored), option, ": '", file.string(),
              "' is there already; --overwrite replaces it, or name another file");
  try_output(option, file);
}

/// A folder that is filled, with a record (made.json) of the settings it is filled with.
///
/// The rooms, its subfolders that hold what is made, were empty when the record was written, so all
/// pictures in them are of those settings.
class MadeSet {
 public:
  /// Makes the rooms and the record, or finds that they are there as `existing` allows.
  /// @param settings  all that decides what is made, such as seed and input; values that differ
  ///                  from the record's are named
  /// @param rooms     subfolders; "" is the folder itself
  MadeSet(fs::path folder, const nlohmann::json& settings, std::vector<fs::path> rooms,
          const Existing& existing)
      : folder_(std::move(folder)), rooms_(std::move(rooms)), skip_(existing.skip) {
    // As it comes back from a file, where names are UTF-8.
    settings_ = nlohmann::json::parse(limpid::json_line(settings));
    read_record();
    const auto there = pictures();
    if (!there.empty()) {
      const auto what = "OUTPUT_DIR: '" + there.front().string() + "'" +
                        (there.size() > 1 ? " and " + std::to_string(there.size() - 1) +
                                                (there.size() > 2 ? " others are" : " other are")
                                          : " is") +
                        " there already";
      TORCH_CHECK(existing.overwrite || existing.skip, what,
                  "; name another folder, or see --overwrite and --skip-existing");
      TORCH_CHECK(record_.is_object(), what,
                  ", and no earlier run recorded that it made them; name another folder");
      if (existing.skip) check_same_settings();
    }
    is_finished_ = skip_ && record_.is_object() && record_.value("finished", false);
    if (existing.overwrite) remove(there);
    for (const auto& room : rooms_) make_folder(folder_ / room);
    if (!is_finished_) write_record(false);
  }

  /// Whether these files, relative to the folder, are there and stay.
  bool keeps(const std::vector<fs::path>& files) const {
    std::error_code ignored;
    return skip_ && std::all_of(files.begin(), files.end(), [&](const fs::path& file) {
             return fs::exists(folder_ / file, ignored);
           });
  }

  /// Whether an earlier run came to its end, and all of it stays.
  bool is_finished() const { return is_finished_; }

  /// Removes what an earlier run left half made.
  void clear() const { remove(pictures()); }

  /// Records that the set is whole.
  void finish() { write_record(true); }

 private:
  fs::path record() const { return folder_ / "made.json"; }

  void read_record() {
    std::error_code ignored;
    if (!fs::exists(record(), ignored)) return;
    record_ = limpid::read_json(record(), "OUTPUT_DIR:");
    TORCH_CHECK(record_.is_object() && record_.value("settings", nlohmann::json{}).is_object(),
                "OUTPUT_DIR: '", record().string(), "': expected the record of an earlier run");
  }

  /// Everything in the rooms but the record and other rooms.
  std::vector<fs::path> pictures() const {
    std::vector<fs::path> found;
    for (const auto& room : rooms_) {
      std::error_code error;
      fs::directory_iterator entry{folder_ / room, error};
      for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
        if (entry->path() != record() && !entry->is_directory()) found.push_back(entry->path());
      }
    }
    return found;
  }

  void check_same_settings() const {
    const auto& made = record_.at("settings");
    for (const auto& [name, value] : settings_.items()) {
      const auto there = made.value(name, nlohmann::json{});
      if (there == value) continue;
      limpid::fail("OUTPUT_DIR: '", folder_.string(), "' was made with ", name, " ",
                   limpid::json_excerpt(there), ", not ", limpid::json_excerpt(value),
                   "; --overwrite removes it, or name another folder");
    }
  }

  static void remove(const std::vector<fs::path>& files) {
    for (const auto& file : files) {
      std::error_code error;
      fs::remove(file, error);
      TORCH_CHECK(!error, "cannot remove '", file.string(), "': ", error.message());
    }
  }

  void write_record(bool finished) const {
    limpid::write_atomically(
        record(),
        limpid::json_text(nlohmann::json{
            {"limpid", limpid::kVersion}, {"finished", finished}, {"settings", settings_}}));
  }

  fs::path folder_;
  std::vector<fs::path> rooms_;
  nlohmann::json settings_, record_;
  bool skip_ = false, is_finished_ = false;
};

}  // namespace examples
