#pragma once

// limpid-train: a run that begins with a trained model, --from.

#include <limpid/model/change_tasks.hpp>
#include <limpid/model/families.hpp>
#include <limpid/model/network.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../lies_in.hpp"
#include "../numbers.hpp"
#include "../options.hpp"
#include "../output.hpp"
#include "../train_recipe.hpp"

namespace examples {

/// What the command line says of the model that a run begins with.
class StartModel {
 public:
  void add_options(CLI::App& app) {
    app.add_option(
           "--from", file_,
           "Begin with this model: its networks, and a decoder for each task of --data that "
           "it does not have")
        ->type_name("MODEL")
        ->group("Recipe and networks");
    app.add_option("--freeze", freeze_,
                   "Parts that stay as they are, such as encoder or decoder.TASK. With a frozen "
                   "encoder tasks of --from without --data keep their decoders")
        ->delimiter(',')
        ->type_name("PART")
        ->group("Recipe and networks");
    app.add_option_function<std::string>(
           "--adapters",
           [this](const std::string& text) {
             adapters_ = as_usage("--adapters: ", [&] {
               return limpid::options_from_json<limpid::AdapterOptions>(
                   limpid::parse_network_options(text), "of adapters");
             });
           },
           "Give each task of --data low-rank additions of its own to the encoder's convolutions, "
           "such as rank=8")
        ->type_name("rank=N")
        ->group("Recipe and networks");
    app.add_option("--old-share", old_share_,
                   "With --from: of each step's crops, the part of tasks that the model had "
                   "already; sets their --batch")
        ->check(Real{0, 0.99, true})
        ->type_name("SHARE")
        ->group("Data");
  }

  bool given() const { return !file_.empty(); }

  /// Reads the model.
  /// @param out  where the run goes
  void open(const std::filesystem::path& out) {
    if (!given()) {
      if (old_share_) throw UsageError("--old-share: there are no old tasks without --from");
      return;
    }
    if (lies_in(file_, out)) {
      throw UsageError("--from: '" + file_.string() +
                       "' lies in --out; name another folder, or go on with that run by --resume");
    }
    loaded_ = limpid::load_any(file_);
  }

  /// The networks of the model.
  limpid::Network network() const {
    const auto described = loaded_->model.describe();
    const auto& decoder = described.at("tasks").at(0).at("decoder");
    return {
        described.at("encoder").at("architecture"),
        {{"encoder", described.at("encoder").at("options")}, {"decoder", decoder.at("options")}}};
  }

  /// What of the model stays as it is: what the command line says, and the decoders of tasks
  /// without data.
  /// @throws UsageError for such a task while the encoder trains.
  void freeze(limpid::TrainerOptions& options, const std::vector<std::string>& tasks) const {
    options.frozen = freeze_;
    if (!given()) return;
    const bool keeps = std::find(freeze_.begin(), freeze_.end(), "encoder") != freeze_.end();
    for (const auto& task : loaded_->model.tasks) {
      if (std::find(tasks.begin(), tasks.end(), task) != tasks.end()) continue;
      if (!keeps) {
        throw UsageError("--from: task '" + task + "' of '" + file_.string() +
                         "' has no --data, and an encoder that trains would spoil its decoder; "
                         "give it data, --freeze encoder, or take it out (limpid-convert --tasks)");
      }
      freeze_also("decoder." + task, options);
      const auto index = loaded_->model.index_of(task);
      if (loaded_->model.describe().at("tasks").at(index).contains("adapter")) {
        freeze_also("adapter." + task, options);
      }
    }
    options.facts["from"] = {{"model", file_.string()}, {"tasks", loaded_->model.tasks}};
  }

  /// How the run begins and what its tasks share, for `train_recipe`.
  /// @param batches  those of the command line
  TrainParts parts(const std::map<std::string, std::int64_t>& batches, bool quiet) const {
    TrainParts parts;
    if (adapters_) {
      parts.adapt = [this](const limpid::AnyModel& model, const std::vector<std::string>& tasks) {
        return as_usage("--adapters: ",
                        [&] { return limpid::add_adapters(model, tasks, *adapters_); });
      };
    }
    if (!given()) return parts;
    parts.model = [this](const std::vector<std::string>& tasks) { return model(tasks); };
    parts.together = [this, batches, quiet](auto& branches) { share(branches, batches, quiet); };
    return parts;
  }

 private:
  /// The model with decoders of new tasks.
  limpid::AnyModel model(const std::vector<std::string>& tasks) const {
    std::vector<std::string> added;
    for (const auto& task : tasks) {
      if (!is_old(task)) added.push_back(task);
    }
    return limpid::add_tasks(loaded_->model, added);
  }

  /// Gives old tasks batches so that they have their share of a step.
  /// @param batches  those of the command line
  /// @throws UsageError where whole crops cannot come near it.
  void share(std::map<std::string, limpid::AnyBranch>& branches,
             const std::map<std::string, std::int64_t>& batches, bool quiet) const {
    if (!old_share_) return;
    std::int64_t fresh = 0, old_tasks = 0;
    for (const auto& [task, branch] : branches) {
      if (is_old(task) && batches.count(task) != 0) {
        throw UsageError("--old-share sets the batch of '" + task + "'; leave out its --batch");
      }
      (is_old(task) ? old_tasks : fresh) += is_old(task) ? 1 : branch.batch_size;
    }
    if (fresh == 0 || old_tasks == 0) {
      throw UsageError("--old-share: expected data of new tasks and of tasks that '" +
                       file_.string() + "' has");
    }
    const auto part = [&](std::int64_t batch) {
      const auto old = static_cast<double>(batch * old_tasks);
      return old / (old + static_cast<double>(fresh));
    };
    const auto wanted = *old_share_ / (1 - *old_share_) * static_cast<double>(fresh) /
                        static_cast<double>(old_tasks);
    const auto batch = std::max<std::int64_t>(1, std::llround(wanted));
    if (part(batch) > 1.5 * *old_share_) {
      throw UsageError("--old-share: " + text_of(*old_share_) + " is out of reach with " +
                       std::to_string(fresh) +
                       " crops of new tasks in a step: one crop of each old "
                       "task is a share of " +
                       text_of(part(1)) + "; raise --batch of the new");
    }
    for (auto& [task, branch] : branches) {
      if (is_old(task)) branch.batch_size = batch;
    }
    if (!quiet) {
      complain("old tasks have " + std::to_string(batch * old_tasks) + " of " +
               std::to_string(batch * old_tasks + fresh) + " crops in each step, a share of " +
               text_of(part(batch)));
    }
  }

  static void freeze_also(const std::string& part, limpid::TrainerOptions& options) {
    auto& frozen = options.frozen;
    if (std::find(frozen.begin(), frozen.end(), part) == frozen.end()) frozen.push_back(part);
  }

  bool is_old(const std::string& task) const { return loaded_->model.has(task); }

  static std::string text_of(double share) {
    char text[16];
    std::snprintf(text, sizeof text, "%.2f", share);
    return text;
  }

  std::filesystem::path file_;
  std::vector<std::string> freeze_;
  std::optional<double> old_share_;
  std::optional<limpid::AdapterOptions> adapters_;
  std::optional<limpid::LoadedModel> loaded_;
};

}  // namespace examples
