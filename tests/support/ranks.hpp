#pragma once

#include <limpid/parallel/rendezvous.hpp>
#include <support/temporary_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Tests whose body runs in several processes: the test's program starts itself again, once a rank,
// for this test alone. They meet at a file, or at a port where a test says so.
namespace limpid_test {

/// One of the processes of a test.
class Rank {
 public:
  /// This process, if it is one.
  static std::optional<Rank> here() {
    if (std::getenv("LIMPID_TEST_RANK") == nullptr) return std::nullopt;
    Rank rank;
    rank.place.rank = rank.place.local_rank = std::stol(std::getenv("LIMPID_TEST_RANK"));
    rank.place.size = std::stol(std::getenv("LIMPID_TEST_SIZE"));
    rank.folder = std::getenv("LIMPID_TEST_FOLDER");
    rank.place.store = std::getenv("LIMPID_TEST_STORE");
    return rank;
  }

  limpid::Communicator join(std::chrono::milliseconds timeout = std::chrono::seconds{60}) const {
    return limpid::join(place, timeout);
  }

  limpid::WorldPlace place;
  std::filesystem::path folder;  ///< that all processes share
};

/// The running test in `size` processes of its own, from construction on.
class Ranks {
 public:
  /// @param store  where they meet; by default a file in `folder`
  Ranks(std::int64_t size, std::filesystem::path folder, std::string store = {})
      : folder_(std::move(folder)),
        store_(store.empty() ? "file:" + (folder_ / "store").string() : std::move(store)) {
    std::filesystem::create_directories(folder_);
    const auto name = boost::unit_test::framework::current_test_case().full_name();
    const auto run = "--run_test=" + name;
    for (std::int64_t r = 0; r < size; ++r) start(r, size, run);
  }

  ~Ranks() {
    for (const auto child : children_) {
      if (child == 0) continue;
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  void send(std::size_t rank, int signal) const { ::kill(children_.at(rank), signal); }

  /// Waits for rank `rank`, three minutes at most. @return whether its part of the test passed
  bool passed(std::size_t rank) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{3};
    int status = 0;
    while (::waitpid(children_.at(rank), &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > end) ::kill(children_[rank], SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    children_[rank] = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  /// Waits for all. @return whether each part of the test passed
  bool passed() {
    bool all = true;
    for (std::size_t r = 0; r < children_.size(); ++r) all = passed(r) && all;
    return all;
  }

  /// What rank `rank` printed.
  std::string output(std::size_t rank) const {
    std::ifstream file{folder_ / ("out." + std::to_string(rank))};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

 private:
  void start(std::int64_t rank, std::int64_t size, const std::string& run) {
    std::vector<std::string> environment{"LIMPID_TEST_RANK=" + std::to_string(rank),
                                         "LIMPID_TEST_SIZE=" + std::to_string(size),
                                         "LIMPID_TEST_FOLDER=" + folder_.string(),
                                         "LIMPID_TEST_STORE=" + store_, "OMP_NUM_THREADS=1"};
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      if (!text.starts_with("OMP_NUM_THREADS=")) environment.push_back(text);
    }
    std::vector<std::string> words{"/proc/self/exe", run, "--report_level=no"};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const auto out = (folder_ / ("out." + std::to_string(rank))).string();
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    const auto program = std::filesystem::read_symlink("/proc/self/exe").string();
    pid_t child = 0;
    const auto code = ::posix_spawn(&child, program.c_str(), &files, nullptr,
                                    pointers(words).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&files);
    if (code != 0) throw std::runtime_error("cannot start " + program);
    children_.push_back(child);
  }

  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  }

  std::filesystem::path folder_;
  std::string store_;
  std::vector<pid_t> children_;  // 0: has been waited for
};

/// The running test in `size` processes; says what those printed that fail.
inline void check_in_ranks(std::int64_t size, const std::filesystem::path& folder,
                           const std::string& store = {}) {
  Ranks ranks{size, folder, store};
  for (std::size_t r = 0; r < static_cast<std::size_t>(size); ++r) {
    BOOST_TEST(ranks.passed(r), "rank " << r << " of " << size << ":\n" << ranks.output(r));
  }
}

}  // namespace limpid_test
