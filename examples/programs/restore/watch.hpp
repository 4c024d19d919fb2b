#pragma once

// A folder whose new pictures are noticed as they arrive.

#include <limpid/io/picture_kind.hpp>
#include <limpid/io/regular_file.hpp>

#include <sys/stat.h>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace examples {

/// Looks at a folder now and then, which works on every file system. A file counts when two looks
/// found it the same: until then somebody may be writing it.
class WatchedFolder {
 public:
  /// @param folder     is looked at by `look`
  /// @param is_own     tells what this program wrote itself, which is no new picture
  WatchedFolder(std::filesystem::path folder, bool is_recursive,
                std::function<bool(const std::filesystem::path&)> is_own)
      : folder_(std::move(folder)), is_recursive_(is_recursive), is_own_(std::move(is_own)) {}

  /// Pictures that are complete since the last look, or have changed, in the order of their names.
  /// @throws std::filesystem::filesystem_error if the folder has gone
  std::vector<std::filesystem::path> look() {
    std::map<std::filesystem::path, State> now;
    std::set<std::pair<dev_t, ino_t>> entered;
    walk(folder_, now, entered);
    std::vector<std::filesystem::path> ready;
    for (auto& [file, state] : now) {
      const auto before = known_.find(file);
      const bool is_settled = before != known_.end() && before->second.is_same_as(state);
      if (!is_settled) continue;
      state.was_taken = before->second.was_taken;
      if (state.was_taken || state.size == 0) continue;
      state.was_taken = true;  // of other files, too: they are looked into once
      limpid::RegularFile opened{file};
      const auto start = opened.read(limpid::kBytesToKnowAPicture);
      if (opened.problem().empty() && limpid::picture_kind(start).is_readable()) {
        ready.push_back(file);
      }
    }
    known_ = std::move(now);
    return ready;
  }

 private:
  struct State {
    std::int64_t size = 0, seconds = 0, nanoseconds = 0;
    ino_t file = 0;
    bool was_taken = false;

    bool is_same_as(const State& other) const {
      return size == other.size && seconds == other.seconds && nanoseconds == other.nanoseconds &&
             file == other.file;
    }
  };

  void walk(const std::filesystem::path& folder, std::map<std::filesystem::path, State>& now,
            std::set<std::pair<dev_t, ino_t>>& entered) const {
    namespace fs = std::filesystem;
    struct stat found {};
    if (::stat(folder.c_str(), &found) == 0 && !entered.emplace(found.st_dev, found.st_ino).second)
      return;  // a link back to a folder that has been read
    std::error_code error;
    fs::directory_iterator entry{folder, error};
    if (error && folder == folder_) throw fs::filesystem_error{"cannot watch", folder, error};
    for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
      const auto& path = entry->path();
      if (path.filename().native().front() == '.' || ::stat(path.c_str(), &found) != 0) continue;
      if (S_ISDIR(found.st_mode)) {
        if (is_recursive_) walk(path, now, entered);
      } else if (S_ISREG(found.st_mode) && !is_own_(path)) {
        now[path] = {found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ino};
      }
    }
  }

  std::filesystem::path folder_;
  bool is_recursive_;
  std::function<bool(const std::filesystem::path&)> is_own_;
  std::map<std::filesystem::path, State> known_;
};

}  // namespace examples
