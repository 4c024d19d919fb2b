#pragma once

// What limpid-restore says of a batch, picture by picture and at the end.

#include <limpid/core/progress_line.hpp>
#include <limpid/inference/output_files.hpp>
#include <limpid/inference/router.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "../failures.hpp"
#include "../program.hpp"
#include "encoded_as.hpp"

namespace examples {

/// Time since it was made.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point began_ = Clock::now();
};

/// What came of a picture.
struct Outcome {
  bool was_there = false;
  limpid::Routing routing;  ///< by "auto"
  std::string error;        ///< that it could not be restored
  std::int64_t width = 0, height = 0;
  double seconds = 0;
};

/// Says and notes what came of pictures, in their order.
class BatchReport {
 public:
  /// @param is_auto  whether a router chose the tasks
  /// @param count    of all pictures
  BatchReport(std::string task, bool is_auto, std::size_t count, Failures& failures,
              Progress& progress)
      : task_(std::move(task)),
        is_auto_(is_auto),
        count_(count),
        failures_(failures),
        progress_(progress) {}

  void tell(const limpid::OutputFile& file, const Outcome& outcome) {
    ++told_;
    const auto& [input, output] = file;
    if (outcome.was_there) {
      skipped_.push_back(output.string());
      return;
    }
    if (!outcome.error.empty()) {
      failures_.note(input, outcome.error);
      failures_.say(progress_);
      return;
    }
    note(file, outcome);
    progress_.say(input.string() + ": " + (is_auto_ ? outcome.routing.text() : task_) + " -> " +
                  output.string());
    if (told_ == count_) return;
    const auto done = static_cast<double>(told_), all = static_cast<double>(count_);
    progress_.show(std::to_string(told_) + "/" + std::to_string(count_) + "  " +
                   limpid::duration_text(seconds() / done * (all - done)) + " left");
  }

  /// The line at the end. @param out  the folder of the results; empty: beside their pictures
  void say_all(const std::filesystem::path& out) const {
    const auto where = out.empty() ? std::string{} : " in '" + out.string() + "'";
    progress_.say(task_ + ": restored " + std::to_string(pictures_.size() - left_) + " of " +
                  std::to_string(count_) + " pictures" + where + ", " +
                  limpid::duration_text(seconds()) + left_text() +
                  (skipped_.empty() ? "" : "; " + std::to_string(skipped_.size()) + " were there"));
  }

  double seconds() const { return watch_.seconds(); }
  const nlohmann::json& pictures() const { return pictures_; }
  const nlohmann::json& skipped() const { return skipped_; }

 private:
  /// Of the pictures that no task was sure to help.
  std::string left_text() const {
    if (left_ == 0) return "";
    const bool one = left_ == 1;
    auto text = "; " + std::to_string(left_) + (one ? " left as it was" : " left as they were");
    if (way_out_.empty()) return text;
    return text + " (--task " + way_out_ + (one ? " restores it" : ", say, restores them") +
           " all the same)";
  }

  void note(const limpid::OutputFile& file, const Outcome& outcome) {
    pictures_.push_back({{"input", file.input.string()},
                         {"output", file.output.string()},
                         {"width", outcome.width},
                         {"height", outcome.height},
                         {"seconds", outcome.seconds}});
    if (!is_auto_) return;
    pictures_.back()["auto"] = to_json(outcome.routing);
    if (!outcome.routing.done.empty()) return;
    ++left_;
    const auto& seen = outcome.routing.last_seen;
    if (!seen.empty()) way_out_ = seen.front().task;
  }

  std::string task_;
  bool is_auto_;
  std::size_t count_;
  Failures& failures_;
  Progress& progress_;
  Stopwatch watch_;
  std::size_t told_ = 0;
  std::size_t left_ = 0;  // pictures that no task was sure to help
  std::string way_out_;   // the likeliest task of the last of them
  nlohmann::json pictures_ = nlohmann::json::array(), skipped_ = nlohmann::json::array();
};

}  // namespace examples
