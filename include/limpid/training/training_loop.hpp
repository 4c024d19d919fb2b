#pragma once

#include <limpid/core/caught_signals.hpp>
#include <limpid/core/cudnn_benchmark.hpp>
#include <limpid/core/host_reads.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/progress_line.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/tf32.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/training/averaged_weights.hpp>
#include <limpid/training/batches_ahead.hpp>
#include <limpid/training/best_validation.hpp>
#include <limpid/training/branches.hpp>
#include <limpid/training/device_batch.hpp>
#include <limpid/training/frozen_parts.hpp>
#include <limpid/training/frozen_weights.hpp>
#include <limpid/training/loaders.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/run_files.hpp>
#include <limpid/training/run_plan.hpp>
#include <limpid/training/shared_run.hpp>
#include <limpid/training/training_log.hpp>
#include <limpid/training/training_run.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/training/training_step.hpp>
#include <limpid/training/validation.hpp>
#include <limpid/weighting/any_weighting.hpp>
#include <limpid/weighting/interference.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// The run around the step: data, rates, log, validation, checkpoints, signals. Knows the model
/// through an `AnyModel` only, so it is compiled once whatever the task set.
class TrainingLoop final : public TrainingRun {
 public:
  TrainingLoop(TrainerOptions options, AnyModel model)
      : options_(std::move(options)), ahead_(options_.device) {
    check_options(options_);
    model.module->to(options_.device);
    lay_out(*model.module, options_.memory_format);
    frozen_parts_ = FrozenParts{model, options_.frozen};
    state_.model = frozen_parts_.trained(model);
    for (const auto& task : state_.model.tasks) {
      state_.tasks.emplace_back();
      state_.tasks.back().name = task;
    }
    state_.weighting = options_.weighting;
    state_.weighting_random = Random::stream(options_.seed, {0x776569676874});
    options_.weighting.check_tasks(state_.model.tasks);
  }

  void set_branch(std::string_view task, AnyBranch branch) override {
    const auto all = tasks_of(state_.model.describe());
    const auto holds = [&](const auto& names) {
      return std::find(names.begin(), names.end(), task) != names.end();
    };
    TORCH_CHECK_VALUE(!holds(all) || holds(state_.model.tasks), "branch: nothing of task '", task,
                      "' trains: TrainerOptions::frozen has its decoder and the encoder");
    const auto index = state_.model.index_of(task, "branch");
    detail::set_branch(state_, index, std::move(branch), options_);
  }

  void freeze(bool frozen) override {
    if (frozen == (frozen_ != nullptr)) return;
    if (frozen) {
      frozen_ = std::make_unique<FrozenWeights>(*state_.model.pretrained);
    } else {
      frozen_.reset();
    }
  }

  const TrainerOptions& options() const override { return options_; }
  std::int64_t steps_done() const override { return state_.step; }
  const std::optional<Interference>& interference() const override { return state_.interference; }

  AnyModel model_for_use() override {
    const AveragedWeights averaged{state_};
    return state_.model.copy();
  }

  std::vector<LossValue> step(std::vector<Batch> batches) override {
    prepare_optimisers(state_, options_);
    TORCH_CHECK_VALUE(batches.size() == state_.tasks.size(), "step: expected ", state_.tasks.size(),
                      " batches, one for each task, got ", batches.size());
    const TF32Scope tf32{options_.tf32, options_.device};
    const CudnnBenchmarkScope benchmark{options_.cudnn_benchmark, options_.device};
    for (auto& batch : batches) {
      batch = on_device(batch, options_.device, options_.memory_format);
    }
    state_.model.module->train();
    if (frozen_) state_.model.pretrained->eval();
    frozen_parts_.evaluate();
    unsaved_ = true;
    prepare_graph();
    if (!shared_) {
      share_run(state_, options_);  // in a loop of the user's own; `fit` has done so
      shared_ = true;
    }
    return training_step(state_, batches, options_, epoch_);
  }

  FitResult fit() override {
    try {
      return fit_together();
    } catch (const c10::Error& error) {
      options_.communicator.leave(error.what_without_backtrace());
      throw;
    } catch (const std::exception& error) {
      options_.communicator.leave(error.what());
      throw;
    }
  }

  const std::string& why_no_step_graphs() const override { return state_.graph.why_not(); }

 private:
  /// Has steps recorded, or says once why they are not.
  void prepare_graph() {
    if (!options_.step_graphs || state_.graph.is_wanted() || !why_no_step_graphs().empty()) return;
    if (const auto why = why_no_graph(state_, options_); !why.empty()) {
      state_.graph.refuse(why);
    } else {
      state_.graph.enable();
    }
  }

  FitResult fit_together() {
    prepare_optimisers(state_, options_);
    for (const auto& task : state_.tasks) {
      TORCH_CHECK(task.branch.pairs.size() > 0, "fit: branch '", task.name, "' has no pairs");
    }
    const Ending ending{*this};
    if (world().is_first()) files_.open(state_, options_);
    share_run(state_, options_);
    shared_ = true;
    check_validation_data(state_, options_);
    plan_ = RunPlan{options_, batches_per_epoch(state_, options_)};
    start_loaders(state_, options_, plan_.last_step());
    if (AsOnACard::holds(options_.device)) state_.while_waiting = [this] { begin_next_batches(); };
    const CaughtSignals stop{CaughtSignals::Second::ends};
    const TF32Scope tf32{options_.tf32, options_.device};
    ProgressLine progress{options_.quiet || !world().is_first()};
    state_.agenda = {};
    state_.agenda_of_this = [&] { return agenda(stop); };
    LossMeter meter;
    log_meter_.restart();
    last_save_ = last_validation_ = sitting_began_ = counted_ = Clock::now();
    first_step_ = state_.step;
    begun_ = logged_ = world().traffic();
    if (first_step_ > 0) progress.say("resumed at step " + std::to_string(first_step_));
    if (finished() && !state_.validation_due) {
      progress.say("the run is as long as asked already; nothing was done");
      return FitResult::finished;
    }

    if (state_.validation_due) validate(progress, stop);  // the last sitting ended before it could
    while (!finished() && !asked_to_stop(stop) && !sitting_is_over()) {
      train_one_step(meter);
      if (!said_no_graphs_ && !why_no_step_graphs().empty()) {
        progress.say("steps are not recorded: " + why_no_step_graphs());
        said_no_graphs_ = true;
      }
      if (state_.interference) log_interference();
      if (log_is_due()) log_training();
      if (validation_is_due()) validate(progress, stop);
      if (seconds_since(last_save_) >= options_.checkpoint_seconds) save();
      if (progress.due()) {
        progress.show(progress_text(meter, state_.model.tasks, state_.step, plan_.last_step(),
                                    plan_.epoch_of(state_.step - 1), seconds_left()));
        meter.restart();
      }
    }
    if (log_meter_.steps() > 0) log_training();
    const bool done = finished();  // before saving takes time, too
    if (done && validated_at_ != state_.step) validate(progress, stop);
    save();
    const auto result = done && !state_.validation_due   ? FitResult::finished
                        : world().any(stop.first() != 0) ? FitResult::interrupted
                                                         : FitResult::stopped;
    progress.say(text_of(result));
    return result;
  }

  using Clock = std::chrono::steady_clock;
  static constexpr double kBetweenValidations = 60;  // seconds, unless the user says how many steps
  static double seconds_since(Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
  }

  /// What `fit` leaves behind, however it ends: no thread that decodes, nothing frozen, the folder
  /// free for others.
  struct Ending {
    TrainingLoop& loop;
    ~Ending() {
      for (auto& task : loop.state_.tasks) task.loader.reset();
      loop.state_.agenda_of_this = {};
      loop.state_.while_waiting = {};
      loop.ahead_.forget();
      loop.freeze(false);
      loop.files_.close();
    }
  };

  const Communicator& world() const { return options_.communicator; }

  /// What this process says while a step is done. The first one's clock counts for all.
  StepAgenda agenda(const CaughtSignals& stop) {
    StepAgenda here{stop.first() != 0, state_.seconds + seconds_since(counted_),
                    seconds_since(last_validation_) >= kBetweenValidations};
    counted_ = Clock::now();
    return here;
  }

  bool asked_to_stop(const CaughtSignals& stop) const {
    return world().is_alone() ? stop.first() != 0 : state_.agenda.stop;
  }

  /// Adds what was done since `began` to the time of training. Of several processes the agenda
  /// does, for all time between two steps.
  void count_time(Clock::time_point began) {
    if (world().is_alone()) state_.seconds += seconds_since(began);
  }

  bool finished() const { return plan_.finished(state_.step, state_.seconds); }

  bool sitting_is_over() const {
    return options_.stop_after > 0 && state_.step - first_step_ >= options_.stop_after;
  }

  double seconds_left() const {
    return plan_.seconds_left(state_.step, state_.seconds, state_.step - first_step_,
                              seconds_since(sitting_began_));
  }

  void train_one_step(LossMeter& meter) {
    const auto began = Clock::now();
    set_rates();
    auto batches = next_batches();
    std::int64_t images = 0;
    for (const auto& batch : batches) images += batch.target.size(0);
    epoch_ = plan_.epoch_of(state_.step);
    freeze(epoch_ < options_.freeze_encoder_epochs);
    const auto losses = step_or_save(std::move(batches));
    meter.add(losses, images * world().size());
    log_meter_.add(losses, images * world().size());
    if (world().is_alone()) {
      seconds_of_step_ = seconds_since(began);
      state_.seconds += seconds_of_step_;
    } else {
      seconds_of_step_ = state_.agenda.seconds - state_.seconds;
      state_.seconds = state_.agenda.seconds;
    }
  }

  void set_rates() {
    const auto rate = [&](double initial) {
      return plan_.rate(options_.schedule, initial, state_.step, state_.seconds, seconds_of_step_);
    };
    rate_ = rate(options_.rate);
    state_.updates->set_rate(rate_);
    for (auto& task : state_.tasks) {
      if (task.critic_updates) task.critic_updates->set_rate(rate(options_.critic_rate));
    }
  }

  /// Gets the batches of the step after this one, and has them copied while the card computes.
  /// Where that fails, the next step gets them again, and says why it cannot.
  void begin_next_batches() {
    if (plan_.last_step() > 0 && state_.step + 1 >= plan_.last_step()) return;
    try {
      ahead_.begin(
          [this] {
            std::vector<Batch> batches;
            for (auto& task : state_.tasks) batches.push_back(task.loader->next(options_.device));
            return batches;
          },
          [this](const Batch& batch) {
            return on_device(batch, options_.device, options_.memory_format);
          });
    } catch (...) {
      for (auto& task : state_.tasks) task.loader->seek(state_.step + 1);
    }
  }

  /// A batch of each task. Where data cannot be read the run is saved before that is reported.
  std::vector<Batch> next_batches() {
    if (auto begun = ahead_.take()) return std::move(*begun);
    std::vector<Batch> batches;
    for (auto& task : state_.tasks) {
      try {
        batches.push_back(task.loader->next(options_.device));
      } catch (c10::Error& error) {
        error.add_context("training data of '" + task.name + "'" + saved_after_error());
        throw;
      } catch (...) {
        saved_after_error();
        throw;
      }
    }
    return batches;
  }

  /// A step. One that fails leaves the run as it was before it, which is saved before that is
  /// reported.
  std::vector<LossValue> step_or_save(std::vector<Batch> batches) {
    try {
      return step(std::move(batches));
    } catch (c10::Error& error) {
      const auto saved = saved_after_error();
      if (!saved.empty()) error.add_context("step " + std::to_string(state_.step + 1) + saved);
      throw;
    } catch (...) {
      saved_after_error();
      throw;
    }
  }

  std::string saved_after_error() {
    if (options_.out.empty() || state_.step == 0 || !world().is_first()) return "";
    try {
      save();
    } catch (const c10::Error& error) {
      return c10::str("; and ", error.what_without_backtrace());
    }
    return "; saved after " + std::to_string(state_.step) + " steps";
  }

  bool log_is_due() const {
    return options_.log_every > 0 ? state_.step % options_.log_every == 0
                                  : log_meter_.seconds() >= 5.0;
  }

  void log_training() {
    nlohmann::json line{{"kind", "train"},
                        {"step", state_.step},
                        {"epoch", plan_.epoch_of(state_.step - 1)},
                        {"seconds", state_.seconds},
                        {"images_per_second", log_meter_.images_per_second()},
                        {"rate", rate_},
                        {"losses", log_meter_.to_json()}};
    if (auto weights = log_meter_.weights(); !weights.empty()) line["weights"] = std::move(weights);
    if (!world().is_alone()) {
      const auto traffic = world().traffic() - logged_;
      line["exchange"] = {{"bytes_per_step", traffic.bytes / log_meter_.steps()}};
      if (traffic.unwaited == 0) {
        line["exchange"]["share_of_time"] = traffic.seconds / log_meter_.seconds();
      }
      logged_ = world().traffic();
    }
    files_.log(line);
    log_meter_.restart();
  }

  void log_validation(const nlohmann::json& scores) {
    nlohmann::json line{{"kind", "validation"},
                        {"step", state_.step},
                        {"seconds", state_.seconds},
                        {"tasks", scores}};
    if (state_.average) line["average"] = options_.average;
    if (const auto gain = mean_gain(scores)) line[kBestMeasure] = *gain;
    if (state_.best) line["best"] = best_json(*state_.best);
    files_.log(line);
  }

  void log_interference() {
    auto line = interference_json(*state_.interference);
    line["kind"] = "interference";
    line["step"] = state_.step;
    files_.log(line);
  }

  bool validation_is_due() const {
    if (finished()) return false;  // the end of the run validates
    if (options_.validate_every > 0) return state_.step % options_.validate_every == 0;
    const bool long_ago = world().is_alone()
                              ? seconds_since(last_validation_) >= kBetweenValidations
                              : state_.agenda.validation_due;
    return state_.step % plan_.steps_per_epoch() == 0 && long_ago;
  }

  /// Saves, so that nothing that goes wrong here costs a step, and validates. A signal ends it
  /// before the next picture; the run then says that it is due, and resuming does it.
  void validate(ProgressLine& progress, const CaughtSignals& stop) {
    bool any = false;
    for (const auto& task : state_.tasks) any = any || !task.branch.validation.empty();
    if (!any) {
      state_.validation_due = false;
      return;
    }
    if (!state_.validation_due) unsaved_ = true;
    state_.validation_due = true;
    save();
    const auto began = Clock::now();
    const auto scores = [&] {
      const AveragedWeights averaged{state_};
      return validation_scores(
          state_, options_, [&] { return stop.first() != 0; },
          [&](const std::string& text) { progress.say(text); },
          [&](const std::string& task, const std::vector<at::Tensor>& pictures) {
            files_.show(state_.step, "validation/" + task + ": degraded, restored, true", pictures);
          });
    }();
    count_time(began);
    last_validation_ = Clock::now();
    if (!scores) {
      state_.agenda.stop = true;
      return;
    }
    state_.validation_due = false;
    validated_at_ = state_.step;
    unsaved_ = true;
    if (is_best(state_, options_, *scores)) files_.save_best(state_, options_, *scores);
    log_validation(*scores);
    progress.say(validation_text(state_.step, *scores) + best_text(state_, *scores));
  }

  void save() {
    if (unsaved_) {
      const auto began = Clock::now();
      files_.save(state_, options_);
      count_time(began);
      unsaved_ = false;
    }
    last_save_ = Clock::now();
  }

  std::string text_of(FitResult result) const {
    const auto at = " after " + std::to_string(state_.step) + " steps, " +
                    duration_text(state_.seconds) + " of training";
    const auto saved =
        exchange_text() + (options_.out.empty() ? "" : "; saved in " + options_.out.string());
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

  /// What the processes of this sitting had to say to each other.
  std::string exchange_text() const {
    const auto steps = state_.step - first_step_;
    if (world().is_alone() || steps == 0) return "";
    const auto traffic = world().traffic() - begun_;
    char text[128];
    std::snprintf(text, sizeof text, "; %.2f MB a step to others",
                  static_cast<double>(traffic.bytes) / static_cast<double>(steps) / 1e6);
    std::string all = text;
    if (traffic.unwaited > 0) return all;
    std::snprintf(text, sizeof text, ", %.1f %% of the time",
                  100 * traffic.seconds / seconds_since(sitting_began_));
    return all + text;
  }

  TrainerOptions options_;
  TrainingState state_;
  FrozenParts frozen_parts_;               // for the whole run
  std::unique_ptr<FrozenWeights> frozen_;  // for its first epochs
  RunPlan plan_;
  BatchesAhead ahead_;
  RunFiles files_;
  LossMeter log_meter_;
  Traffic begun_, logged_;  // of the communicator, at the sitting's begin and the last log
  bool shared_ = false;     // all processes stand where the first does
  bool said_no_graphs_ = false;
  bool unsaved_ = false;         // something has happened since the last save
  std::int64_t first_step_ = 0;  // of the sitting
  std::int64_t epoch_ = 0;       // of the step; stays 0 in a loop of the user's own
  std::int64_t validated_at_ = -1;
  double rate_ = 0;
  double seconds_of_step_ = 0;
  Clock::time_point last_save_{}, last_validation_{}, sitting_began_{}, counted_{};
};

template <class>
std::unique_ptr<TrainingRun> new_training_run(TrainerOptions options, AnyModel model) {
  return std::make_unique<TrainingLoop>(std::move(options), std::move(model));
}

}  // namespace detail
}  // namespace limpid
