#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/progress_line.hpp>
#include <limpid/core/random.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/training/checkpoint.hpp>
#include <limpid/training/frozen_weights.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/stop_signal.hpp>
#include <limpid/training/training_log.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/training/training_step.hpp>
#include <limpid/training/validation.hpp>

#include <torch/nn.h>
#include <torch/optim.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace limpid {

/// How a call of `fit` ended.
enum class FitResult {
  finished,     ///< the run's length is reached
  stopped,      ///< after `stop_after` steps; saved
  interrupted,  ///< by SIGINT or SIGTERM; saved
};

namespace detail {

/// The run around the step: data, rates, log, validation, checkpoints, signals. Knows the model
/// through an `AnyModel` only, so it is compiled once whatever the task set.
class TrainingLoop {
 public:
  TrainingLoop(TrainerOptions options, AnyModel model) : options_(std::move(options)) {
    check_options();
    for (const auto& task : model.tasks) {
      state_.tasks.emplace_back();
      state_.tasks.back().name = task;
    }
    model.module->to(options_.device);
    state_.model = std::move(model);
  }

  void set_branch(std::size_t index, AnyBranch branch) {
    auto& task = state_.tasks[index];
    const auto name = "branch '" + task.name + "': ";
    check_at_least(name + "batch_size", branch.batch_size, 1);
    check_at_least(name + "critic_updates", branch.critic_updates, 1);
    check_not_negative(name + "crop", static_cast<double>(branch.crop));
    check_not_negative(name + "weight", branch.weight);
    check_not_negative(name + "adversarial_weight", branch.adversarial_weight);
    if (branch.crop == 0) branch.crop = options_.crop;
    for (const auto& other : state_.tasks) {
      TORCH_CHECK_VALUE(&other == &task || !branch.adversary ||
                            other.branch.adversary.critic() != branch.adversary.critic(),
                        name, "its critic is already the critic of '", other.name,
                        "'; each task needs its own");
    }
    branch.content.to(options_.device);
    branch.adversary.to(options_.device);
    task.branch = std::move(branch);
    task.has_branch = true;
    task.random = Random::stream(options_.seed, {0x70656e616c7479, index});
  }

  /// Keeps the encoder's pretrained part as it is: no gradient of its weights, no update of its
  /// statistics. Its place in the optimiser stays, so that thawing changes neither moments nor
  /// rates of anything else.
  void freeze(bool frozen) {
    if (frozen == (frozen_ != nullptr)) return;
    if (frozen) {
      frozen_ = std::make_unique<FrozenWeights>(*state_.model.pretrained);
    } else {
      frozen_.reset();
    }
  }

  const TrainerOptions& options() const { return options_; }
  std::int64_t steps_done() const { return state_.step; }

  /// One step on given batches, one for each task in order.
  std::vector<LossValue> step(const std::vector<Batch>& batches) {
    prepare();
    TORCH_CHECK_VALUE(batches.size() == state_.tasks.size(), "step: expected ", state_.tasks.size(),
                      " batches, one for each task, got ", batches.size());
    start_step();
    return training_step(state_, batches, options_);
  }

  FitResult fit() {
    prepare();
    for (const auto& task : state_.tasks) {
      TORCH_CHECK(task.branch.pairs.size() > 0, "fit: branch '", task.name, "' has no pairs");
    }
    open_run();
    start_loaders();
    StopSignal stop;
    ProgressLine progress{options_.quiet};
    LossMeter meter;
    log_meter_.restart();
    last_save_ = last_validation_ = Clock::now();
    const auto first_step = state_.step;
    fit_began_ = Clock::now();
    if (first_step > 0) progress.say("resumed at step " + std::to_string(first_step));
    if (finished()) {
      progress.say("the run is as long as asked already; nothing was done");
      return FitResult::finished;
    }

    auto result = FitResult::finished;
    while (!finished()) {
      const auto began = Clock::now();
      set_rates();
      std::vector<Batch> batches;
      std::int64_t images = 0;
      for (auto& task : state_.tasks) {
        batches.push_back(task.loader->next());
        images += batches.back().target.size(0);
      }
      freeze(epoch() < options_.freeze_encoder_epochs);
      start_step();
      const auto losses = training_step(state_, batches, options_);
      meter.add(losses, images);
      log_meter_.add(losses, images);
      state_.seconds += seconds_since(began);

      log_if_due();
      if (validation_due()) validate(progress);
      if (seconds_since(last_save_) >= options_.checkpoint_seconds) save();
      if (progress.due()) {
        progress.show(progress_text(meter, state_.model.tasks, state_.step, last_step(), epoch(),
                                    seconds_left(first_step)));
        meter.restart();
      }
      if (stop.signal() != 0) {
        result = FitResult::interrupted;
        break;
      }
      if (options_.stop_after > 0 && state_.step - first_step >= options_.stop_after &&
          !finished()) {
        result = FitResult::stopped;
        break;
      }
    }
    if (log_meter_.steps() > 0) log_training();
    if (result == FitResult::finished && validated_at_ != state_.step) validate(progress);
    save();
    for (auto& task : state_.tasks) task.loader.reset();
    freeze(false);
    progress.say(ending(result));
    return result;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
  }

  void start_step() {
    state_.model.module->train();
    if (frozen_) state_.model.pretrained->eval();
  }

  void check_options() const {
    check_not_negative("TrainerOptions: freeze_encoder_epochs",
                       static_cast<double>(options_.freeze_encoder_epochs));
    check_at_least("TrainerOptions: crop", options_.crop, 1);
    check_positive("TrainerOptions: rate", options_.rate);
    check_positive("TrainerOptions: critic_rate", options_.critic_rate);
    check_not_negative("TrainerOptions: stop_after", static_cast<double>(options_.stop_after));
    std::visit(
        [](const auto& length) {
          check_positive("TrainerOptions: length", static_cast<double>(length.count));
        },
        options_.length);
  }

  /// Builds the optimisers, once every branch is set.
  void prepare() {
    if (state_.adam) return;
    std::vector<std::string> missing;
    for (const auto& task : state_.tasks) {
      if (!task.has_branch) missing.push_back(task.name);
    }
    TORCH_CHECK(missing.empty(), "MultiTaskTrainer: no branch was set for ", listed(missing));
    state_.adam = make_adam(state_.model.parameters, options_.rate);
    for (auto& task : state_.tasks) {
      if (auto* critic = task.branch.adversary.critic()) {
        critic->train();
        for (const auto& item : critic->named_parameters()) {
          task.critic_parameters.emplace_back(item.key(), item.value());
        }
        task.critic_adam = make_adam(task.critic_parameters, options_.critic_rate);
      }
    }
  }

  std::unique_ptr<torch::optim::Adam> make_adam(const NamedParameters& parameters, double rate) {
    return std::make_unique<torch::optim::Adam>(
        tensors_of(parameters),
        torch::optim::AdamOptions(rate).betas(std::make_tuple(options_.beta1, options_.beta2)));
  }

  /// Finds out whether the folder holds a run, and resumes it or refuses to overwrite it.
  void open_run() {
    if (options_.out.empty()) return;
    std::error_code error;
    std::filesystem::create_directories(options_.out, error);
    TORCH_CHECK(!error, "cannot write to '", options_.out.string(), "': ", error.message());
    const bool exists = std::filesystem::exists(options_.out / kCheckpointName);
    if (exists && state_.step == 0) {
      TORCH_CHECK(options_.start == Start::resume, "'", options_.out.string(),
                  "' already holds a run; resume it, or name another folder");
      read_checkpoint(state_, options_);
    }
    metrics_ = MetricsFile{options_.out / "metrics.jsonl", state_.step};
  }

  void start_loaders() {
    std::vector<std::int64_t> batches;
    for (std::size_t t = 0; t < state_.tasks.size(); ++t) {
      auto& task = state_.tasks[t];
      LoaderOptions loader;
      loader.batch_size = task.branch.batch_size;
      loader.crop = task.branch.crop;
      loader.seed = Random::stream(options_.seed, {0x64617461, t}).bits();
      loader.workers = options_.workers;
      loader.augmentation = task.branch.augmentation;
      loader.cache_mb = options_.cache_mb;
      task.loader = std::make_unique<PairLoader>(task.branch.pairs, loader);
      task.loader->seek(state_.step);
      batches.push_back(task.loader->batches_per_epoch());
    }
    steps_per_epoch_ = options_.epoch(batches);
    check_at_least("epoch policy: steps of an epoch", steps_per_epoch_, 1);
  }

  std::int64_t epoch() const { return state_.step / steps_per_epoch_; }

  /// The run's number of steps, or 0 where time decides.
  std::int64_t last_step() const {
    if (const auto* epochs = std::get_if<Epochs>(&options_.length)) {
      return epochs->count * steps_per_epoch_;
    }
    if (const auto* steps = std::get_if<Steps>(&options_.length)) return steps->count;
    return 0;
  }

  double seconds_of_run() const {
    const auto* minutes = std::get_if<Minutes>(&options_.length);
    return minutes != nullptr ? 60 * minutes->count : 0;
  }

  bool finished() const {
    return last_step() > 0 ? state_.step >= last_step() : state_.seconds >= seconds_of_run();
  }

  double seconds_left(std::int64_t first_step) const {
    if (last_step() == 0) return seconds_of_run() - state_.seconds;
    const auto done = static_cast<double>(state_.step - first_step);
    return seconds_since(fit_began_) / done * static_cast<double>(last_step() - state_.step);
  }

  void set_rates() {
    auto step = state_.step, steps = last_step(), epoch_steps = steps_per_epoch_;
    if (steps == 0) {  // in thousandths of the time
      steps = 1000;
      const auto done = state_.seconds / seconds_of_run() * 1000;
      epoch_steps = std::max<std::int64_t>(
          1, step == 0 ? steps
                       : std::llround(done * static_cast<double>(steps_per_epoch_) /
                                      static_cast<double>(step)));
      step = std::min<std::int64_t>(steps - 1, static_cast<std::int64_t>(done));
    }
    rate_ = options_.schedule(options_.rate, step, steps, epoch_steps);
    set_rate(*state_.adam, rate_);
    for (auto& task : state_.tasks) {
      if (!task.critic_adam) continue;
      set_rate(*task.critic_adam,
               options_.schedule(options_.critic_rate, step, steps, epoch_steps));
    }
  }

  void log_if_due() {
    const bool due = options_.log_every > 0 ? state_.step % options_.log_every == 0
                                            : log_meter_.seconds() >= 5.0;
    if (due) log_training();
  }

  void log_training() {
    metrics_.write({{"kind", "train"},
                    {"step", state_.step},
                    {"epoch", (state_.step - 1) / steps_per_epoch_},
                    {"seconds", state_.seconds},
                    {"images_per_second", log_meter_.images_per_second()},
                    {"rate", rate_},
                    {"losses", log_meter_.to_json()}});
    log_meter_.restart();
  }

  bool validation_due() const {
    if (finished()) return false;  // the end of the run validates
    if (options_.validate_every > 0) return state_.step % options_.validate_every == 0;
    return state_.step % steps_per_epoch_ == 0 && seconds_since(last_validation_) >= 60;
  }

  void validate(ProgressLine& progress) {
    const auto began = Clock::now();
    const auto scores = validation_scores(state_, options_, identity_psnr_);
    validated_at_ = state_.step;
    state_.seconds += seconds_since(began);
    if (!scores.empty()) {
      metrics_.write({{"kind", "validation"},
                      {"step", state_.step},
                      {"seconds", state_.seconds},
                      {"tasks", scores}});
      progress.say(validation_text(state_.step, scores));
    }
    last_validation_ = Clock::now();
  }

  void save() {
    if (!options_.out.empty()) {
      const auto began = Clock::now();
      write_checkpoint(state_, options_);
      state_.seconds += seconds_since(began);
    }
    last_save_ = Clock::now();
  }

  std::string ending(FitResult result) const {
    const auto at = " after " + std::to_string(state_.step) + " steps, " +
                    duration_text(state_.seconds) + " of training";
    const auto saved = options_.out.empty() ? "" : "; saved in " + options_.out.string();
    switch (result) {
      case FitResult::finished:
        return "finished" + at + saved;
      case FitResult::stopped:
        return "stopped as asked" + at + saved;
      case FitResult::interrupted:
        return "interrupted" + at + saved;
    }
    return "";
  }

  TrainerOptions options_;
  TrainingState state_;
  std::unique_ptr<FrozenWeights> frozen_;
  MetricsFile metrics_;
  LossMeter log_meter_;
  std::map<std::string, double> identity_psnr_;
  std::int64_t steps_per_epoch_ = 1;
  std::int64_t validated_at_ = -1;
  double rate_ = 0;
  Clock::time_point last_save_{}, last_validation_{}, fit_began_ = Clock::now();
};

}  // namespace detail
}  // namespace limpid
