#pragma once

#include <limpid/core/caught_signals.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/parallel/child_process.hpp>
#include <limpid/parallel/scratch_folder.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// What `supervise` starts, and how often.
struct SupervisorOptions {
  std::vector<std::string> command;  ///< A program's path and its arguments.
  std::string name{};  ///< The program's, with which its lines on standard error begin: "NAME: ".
  std::int64_t processes = 2;  ///< Ranks to start.
  std::int64_t restarts = 0;   ///< How often all of them are started again after a failure.
  /// A word that every start after a failure adds to the command: "--resume".
  std::string when_restarted{};
  /// A rank that is stopped for so long counts as lost; the ranks themselves give up on one that
  /// does not answer after the same time.
  std::chrono::milliseconds timeout{600'000};
  /// Ranks that have not ended so long after one failed are killed.
  std::chrono::milliseconds grace{20'000};
  /// Gets one line for each restart.
  std::function<void(const std::string&)> say = [](const std::string&) {};
};

namespace detail {

/// All ranks from their start to their end.
class Attempt {
 public:
  Attempt(const SupervisorOptions& options, const std::string& store,
          const std::vector<std::string>& command)
      : options_(options) {
    for (std::int64_t rank = 0; rank < options.processes; ++rank) {
      ranks_.emplace_back(command,
                          std::vector<std::pair<std::string, std::string>>{
                              {"LIMPID_RANK", std::to_string(rank)},
                              {"LIMPID_WORLD_SIZE", std::to_string(options.processes)},
                              {"LIMPID_STORE", store}},
                          rank == 0 ? ChildOutput::shared : ChildOutput::kept);
    }
  }

  /// Waits until all have ended; passes signals on meanwhile.
  void wait(CaughtSignals& signals) {
    while (look()) {
      for (int signal = signals.take(); signal != 0; signal = signals.take()) {
        for (const auto& rank : ranks_) rank.send(signal);
      }
      if (!first_failure_) first_failure_ = first_that_failed();
      if (one_is_lost() || (first_failure_ && (only_stopped_are_left() || grace_is_over()))) {
        end_those_left();
      }
    }
    if (!first_failure_) first_failure_ = first_that_failed();
  }

  bool failed() const { return first_failure_.has_value(); }

  /// The exit code of the rank that failed first.
  int exit_code() const { return at(*first_failure_).exit_code(); }

  /// Which ranks failed and why: one that was stopped comes before those that it made fail.
  std::string reason() const {
    const auto& first = at(*first_failure_);
    auto text = stopped_;
    if (text.empty() && !first.was_killed()) {
      text = "rank " + std::to_string(*first_failure_);
      auto said = first.last_line();
      if (!options_.name.empty() && said.starts_with(options_.name + ": ")) {
        said.erase(0, options_.name.size() + 2);
      }
      if (first.exit_code() > 128) {
        const int signal = first.exit_code() - 128;
        text += " was ended by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
      } else {
        text += said.empty() ? " failed" : ": " + said;
      }
    }
    return text.empty() || late_.empty() ? text + late_ : text + "; " + late_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  static std::string seconds(std::chrono::milliseconds time) {
    return c10::str(std::chrono::duration<double>(time).count(), " s");
  }

  const ChildProcess& at(std::size_t rank) const {
    return *std::next(ranks_.begin(), static_cast<std::ptrdiff_t>(rank));
  }

  /// Waits a moment and looks what the ranks did. @return whether one is still running
  bool look() {
    wait_for_output(ranks_, std::chrono::milliseconds{20});
    bool any = false;
    for (auto& rank : ranks_) any = rank.look() || any;
    return any;
  }

  /// Of ranks that ended in one moment, one that a signal ended comes before those that its end
  /// made fail.
  std::optional<std::size_t> first_that_failed() {
    std::optional<std::size_t> first;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
      if (!at(rank).has_ended() || at(rank).exit_code() == 0) continue;
      if (!first || at(rank).exit_code() > at(*first).exit_code()) first = rank;
    }
    if (first) failed_at_ = Clock::now();
    return first;
  }

  /// Whether one is stopped and the others, whose time to wait for it is over, did not end.
  bool one_is_lost() const {
    constexpr std::chrono::milliseconds kToSay{5000};
    const auto most = options_.timeout + std::min(options_.timeout, kToSay);
    return std::any_of(ranks_.begin(), ranks_.end(),
                       [&](const auto& rank) { return rank.stopped_for() >= most; });
  }

  bool only_stopped_are_left() const {
    return std::all_of(ranks_.begin(), ranks_.end(), [](const auto& rank) {
      return rank.has_ended() || rank.stopped_for() > std::chrono::milliseconds{0};
    });
  }

  bool grace_is_over() const { return Clock::now() - failed_at_ >= options_.grace; }

  void end_those_left() {
    for (std::size_t i = 0; i < ranks_.size(); ++i) {
      auto& rank = *std::next(ranks_.begin(), static_cast<std::ptrdiff_t>(i));
      if (rank.has_ended() || rank.was_killed()) continue;
      if (rank.stopped_for() > std::chrono::milliseconds{0}) {
        stopped_ += (stopped_.empty() ? "rank " : "; rank ") + std::to_string(i) +
                    " was stopped (SIGSTOP) and did not answer within " + seconds(options_.timeout);
      } else if (first_failure_) {
        late_ += (late_.empty() ? "rank " : "; rank ") + std::to_string(i) +
                 " did not end within " + seconds(options_.grace) + " after that";
      }
      rank.kill();
    }
  }

  const SupervisorOptions& options_;
  std::list<ChildProcess> ranks_;
  std::optional<std::size_t> first_failure_;
  Clock::time_point failed_at_{};
  std::string stopped_, late_;  // what is to be said of those that `end_those_left` ended
};

}  // namespace detail

/// Starts a program as several ranks on this machine, which meet at a file that is removed
/// afterwards, and waits for their end. `world_place_from_environment` tells each who it is.
///
/// Rank 0 writes to this process' outputs; what the others say on standard error is kept, and the
/// last line of one that failed is part of the error. SIGINT, SIGTERM and SIGHUP go on to all
/// ranks. When one fails, is killed or stays stopped, the others have time to end by themselves;
/// then all are started again, if restarts are left. A rank that ends with 2, wrong usage, is not
/// started again. Ranks end with this process, even if that is killed.
///
/// @return 0, or the exit code of wrong usage, or 128 + signal where a second signal ended the
/// ranks
/// @throws c10::Error "rank 1 was ended by signal 9 (Killed)" and the like
inline int supervise(const SupervisorOptions& options) {
  TORCH_CHECK_VALUE(options.processes >= 1, "processes must be at least 1, got ",
                    options.processes);
  const ScratchFolder folder;
  CaughtSignals signals{CaughtSignals::Second::is_caught};
  for (std::int64_t attempt = 0;; ++attempt) {
    auto command = options.command;
    if (attempt > 0 && !options.when_restarted.empty()) {
      command.insert(command.begin() + 1, options.when_restarted);
    }
    const auto store = "file:" + (folder.path() / ("store-" + std::to_string(attempt))).string();
    detail::Attempt ranks{options, store, command};
    ranks.wait(signals);
    if (!ranks.failed()) return 0;
    constexpr int kWrongUsage = 2;
    if (signals.took(ranks.exit_code() - 128)) return ranks.exit_code();
    if (signals.took_any()) limpid::fail(ranks.reason());
    if (ranks.exit_code() == kWrongUsage) return kWrongUsage;
    if (attempt == options.restarts) {
      limpid::fail(ranks.reason(), attempt == 0 ? ""
                                                : c10::str("; restarted ", attempt, " of ",
                                                           options.restarts, " times"));
    }
    options.say(ranks.reason() + "; all ranks start again, " + std::to_string(attempt + 1) +
                " of " + std::to_string(options.restarts));
  }
}

}  // namespace limpid
