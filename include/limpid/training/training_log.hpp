#pragma once

#include <limpid/core/json_text.hpp>
#include <limpid/core/progress_line.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/training/step_losses.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// RUN/metrics.jsonl, one JSON object a line: {"kind": "train" | "validation", "step": ..., ...}.
class MetricsFile {
 public:
  MetricsFile() = default;

  /// Opens the file; lines of steps after `step`, which a resumed run does again, are dropped.
  MetricsFile(const std::filesystem::path& path, std::int64_t step) {
    std::string kept;
    std::ifstream old{path};
    for (std::string line; std::getline(old, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, false);
      if (is_of_step_up_to(json, step)) kept += line + "\n";
    }
    old.close();
    write_atomically(path, kept);
    stream_.open(path, std::ios::app);
    TORCH_CHECK(stream_.is_open(), "cannot write '", path.string(), "'");
  }

  void write(const nlohmann::json& line) {
    stream_.clear();  // a disk that was full may have room again
    if (!stream_.is_open()) return;
    stream_ << json_line(line) << std::endl;
  }

 private:
  static bool is_of_step_up_to(const nlohmann::json& line, std::int64_t step) {
    if (!line.is_object()) return false;
    const auto found = line.find("step");
    return found == line.end() || (found->is_number() && found->get<std::int64_t>() <= step);
  }

  std::ofstream stream_;
};

/// Means of the losses since the last report, and how fast it goes.
class LossMeter {
 public:
  void add(const std::vector<LossValue>& losses, std::int64_t images) {
    for (const auto& loss : losses) {
      auto& [sum, count] = sums_[loss.task][loss.term];
      sum += loss.value;
      ++count;
    }
    images_ += images;
    ++steps_;
  }

  std::int64_t steps() const { return steps_; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - since_).count(); }
  double images_per_second() const { return static_cast<double>(images_) / seconds(); }

  /// Mean of one term, or NaN where there is none.
  double mean(const std::string& task, const std::string& term) const {
    const auto found = sums_.find(task);
    if (found == sums_.end() || found->second.count(term) == 0) return std::nan("");
    const auto& [sum, count] = found->second.at(term);
    return sum / static_cast<double>(count);
  }

  nlohmann::json to_json() const {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [task, terms] : sums_) {
      for (const auto& [term, sum] : terms) {
        if (term != "weight") json[task][term] = sum.first / static_cast<double>(sum.second);
      }
    }
    return json;
  }

  /// Mean weight of each task, where a weighting gives one.
  nlohmann::json weights() const {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [task, terms] : sums_) {
      if (terms.count("weight") != 0) json[task] = mean(task, "weight");
    }
    return json;
  }

  void restart() { *this = LossMeter{}; }

 private:
  using Clock = std::chrono::steady_clock;
  std::map<std::string, std::map<std::string, std::pair<double, std::int64_t>>> sums_;
  std::int64_t images_ = 0;
  std::int64_t steps_ = 0;
  Clock::time_point since_ = Clock::now();
};

/// "step 120/2400  epoch 3  deblur 0.0123  dehaze 0.0456  8.1 images/s  12:34 left"
/// @param epoch  of the last step, from 0
inline std::string progress_text(const LossMeter& meter, const std::vector<std::string>& tasks,
                                 std::int64_t step, std::int64_t last_step, std::int64_t epoch,
                                 double seconds_left) {
  auto text = "step " + std::to_string(step);
  if (last_step > 0) text += "/" + std::to_string(last_step);
  text += "  epoch " + std::to_string(epoch + 1);
  char part[96];
  for (const auto& task : tasks) {
    std::snprintf(part, sizeof part, "  %s %.4g", task.c_str(), meter.mean(task, "total"));
    text += part;
  }
  std::snprintf(part, sizeof part, "  %.1f images/s  ", meter.images_per_second());
  return text + part + duration_text(seconds_left) + " left";
}

}  // namespace limpid::detail
