#pragma once

#include <limpid/io/event_file.hpp>
#include <limpid/training/checkpoint.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/run_events.hpp>
#include <limpid/training/run_folder.hpp>
#include <limpid/training/training_log.hpp>
#include <limpid/training/training_state.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace limpid::detail {

/// What a run writes: model, checkpoint and log in its folder, which is locked from `open` to
/// `close`. Without a folder nothing is written.
class RunFiles {
 public:
  /// Opens the folder for a sitting. The run that it holds is resumed, or refused: nothing of
  /// another run is ever overwritten. The trainer that opened it before goes on with its own.
  /// @throws c10::Error that names the folder
  void open(TrainingState& state, const TrainerOptions& options) {
    if (options.out.empty()) return;
    folder_ = std::make_unique<RunFolder>(options.out);
    const auto name = "'" + options.out.string() + "'";
    if (ours_) {
      TORCH_CHECK(folder_->identity(kCheckpointName) == written_, name,
                  " was changed since this trainer's last fit; make a new trainer to resume it");
    } else if (const auto* found = folder_->file_of_a_run(); found != nullptr) {
      TORCH_CHECK(options.start == Start::resume, name,
                  " already holds a run; resume it, or name another folder");
      TORCH_CHECK(state.step == 0, name, " holds a run, and ", state.step,
                  " steps were done before it could be resumed; make a new trainer for it");
      if (folder_->has(kCheckpointName)) {
        read_checkpoint(state, options);
        written_ = folder_->identity(kCheckpointName);
      } else {  // killed before its first checkpoint; a model is never thrown away
        TORCH_CHECK(found == kMetricsName, name, " holds ", found, " but no ", kCheckpointName,
                    ": there is nothing to resume; name another folder");
      }
    }
    ours_ = true;
    metrics_ = MetricsFile{options.out / kMetricsName, state.step};
    if (options.tensorboard) events_ = EventFile{options.out, state.step};
  }

  /// Leaves the folder to others.
  void close() {
    metrics_ = {};
    events_ = {};
    folder_.reset();
  }

  void save(TrainingState& state, const TrainerOptions& options) {
    if (folder_ == nullptr) return;
    write_checkpoint(state, options);
    written_ = folder_->identity(kCheckpointName);
  }

  /// Keeps the model as it is now as the best of the run.
  /// @param scores  of its validation
  void save_best(TrainingState& state, const TrainerOptions& options,
                 const nlohmann::json& scores) {
    if (folder_ != nullptr) write_best(state, options, scores);
  }

  void log(const nlohmann::json& line) {
    metrics_.write(line);
    if (events_.is_open()) events_.write(event_summary(line));
  }

  /// Pictures beside each other, for who looks at event files.
  void show(std::int64_t step, const std::string& tag, const std::vector<at::Tensor>& pictures) {
    if (events_.is_open()) events_.write({step, {}, {event_picture(tag, pictures)}});
  }

 private:
  std::unique_ptr<RunFolder> folder_;
  MetricsFile metrics_;
  EventFile events_;
  bool ours_ = false;  // opened before
  std::array<std::int64_t, 3> written_{};
};

}  // namespace limpid::detail
