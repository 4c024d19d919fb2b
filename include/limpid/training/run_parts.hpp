#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/core/random.hpp>
#include <limpid/optim/parameter_updates.hpp>
#include <limpid/training/best_validation.hpp>
#include <limpid/training/pair_names.hpp>
#include <limpid/training/run_part.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/weighting/any_weighting.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

// All that a run keeps. Something new with a state of its own is one more part in `run_parts`.

namespace limpid::detail {

/// Options that a resumed run must share.
inline RunPart options_part(const TrainerOptions& options) {
  return {.describe = [&options](nlohmann::json& conditions) {
    conditions.update({{"seed", options.seed},
                       {"rate", options.rate},
                       {"critic_rate", options.critic_rate},
                       {"betas", {options.beta1, options.beta2}},
                       {"clip_gradient_norm", options.clip_gradient_norm},
                       {"freeze_encoder_epochs", options.freeze_encoder_epochs},
                       {"precision", name_of(resolve(options.precision, options.device))},
                       {"convolution", name_of(options.convolution)}});
    if (options.device.is_cuda()) conditions["tf32"] = options.tf32;
    // Said only where it holds, because files of older runs do not say it.
    if (options.memory_format != at::MemoryFormat::Contiguous) {
      conditions["memory_format"] = name_of(options.memory_format);
    }
    if (options.accumulate > 1) conditions["accumulate"] = options.accumulate;
    if (options.average > 0) conditions["average"] = options.average;
    if (options.reduce_in != Precision::float32) {
      conditions["reduce_in"] = name_of(options.reduce_in);
    }
    const auto usual = AnyOptimizer{usual_optimizer(options)}.description();
    const auto generator = generator_optimizer(options).description();
    const auto critic = critic_optimizer(options).description();
    if (generator != usual) conditions["optimizer"] = generator;
    if (critic != usual) conditions["critic_optimizer"] = critic;
    if (!options.frozen.empty()) conditions["frozen"] = options.frozen;
  }};
}

/// How far the run is.
inline RunPart position_part(TrainingState& state) {
  return {.save =
              [&state](SavedRun& saved) {
                saved.manifest.update({{"step", state.step},
                                       {"seconds", state.seconds},
                                       {"validation_due", state.validation_due},
                                       {"data_changes", state.data_changes}});
              },
          .load =
              [&state](RunReader& reader) {
                const auto& manifest = reader.saved.manifest;
                const auto step = manifest.at("step").get<std::int64_t>();
                const auto seconds = manifest.at("seconds").get<double>();
                const auto due = manifest.value("validation_due", false);
                auto changes = manifest.value("data_changes", std::vector<std::int64_t>{});
                reader.then([&state, step, seconds, due, changes = std::move(changes)] {
                  state.step = step;  // the loaders follow it
                  state.seconds = seconds;
                  state.validation_due = due;
                  state.data_changes = changes;
                });
              }};
}

/// Encoder and decoders.
inline RunPart model_part(TrainingState& state) {
  return {
      .save =
          [&state](SavedRun& saved) {
            saved.tensors.merge(state.model.tensors());
            saved.manifest.update(state.model.describe());
          },
      .load = [&state](RunReader& reader) { state.model.expect(reader.weights); },
      .describe =
          [&state](nlohmann::json& conditions) { conditions["model"] = state.model.describe(); }};
}

/// The average of the weights, as `average.NAME`.
inline RunPart average_part(TrainingState& state) {
  const std::string prefix = "average.";
  const auto for_each = [&state, prefix](auto f) {
    if (!state.average) return;
    std::size_t i = 0;
    for (const auto& [name, tensor] : named_tensors(*state.model.module)) {
      f(prefix + name, state.average->averages()[i++]);
    }
  };
  return {.save =
              [&state, for_each](SavedRun& saved) {
                for_each([&](const std::string& name, const at::Tensor& average) {
                  saved.tensors[name] = average;
                });
                if (state.average) saved.manifest["average_updates"] = state.average->updates();
              },
          .load =
              [&state, for_each](RunReader& reader) {
                if (!state.average) return;
                for_each([&](const std::string& name, const at::Tensor& average) {
                  reader.weights.expect(name, average);
                });
                const auto updates =
                    reader.saved.manifest.at("average_updates").get<std::int64_t>();
                reader.then([&state, updates] { state.average->set_updates(updates); });
              }};
}

/// Which validation was the best, as long as the tasks are validated on the same pictures.
inline RunPart best_part(TrainingState& state) {
  return {.save =
              [&state](SavedRun& saved) {
                if (!state.best) return;
                auto json = best_json(*state.best);
                json.update({{"failed", state.best->failed}, {"data", state.best->data}});
                saved.manifest["best"] = std::move(json);
              },
          .load =
              [&state](RunReader& reader) {
                const auto& manifest = reader.saved.manifest;
                if (!manifest.contains("best") || manifest["best"].at("measure") != kBestMeasure) {
                  return;
                }
                const auto& best = manifest["best"];
                const BestValidation loaded{
                    best.at("score").get<double>(), best.at("step").get<std::int64_t>(),
                    best.at("failed").get<std::int64_t>(), best.at("data").get<std::string>()};
                reader.then([&state, loaded] { state.best = loaded; });
              }};
}

/// What the weighting keeps from step to step, as `weighting.NAME` where it is a tensor.
inline RunPart weighting_part(TrainingState& state) {
  const std::string prefix = "weighting.";
  return {.save =
              [&state, prefix](SavedRun& saved) {
                if (state.weighting.needs() == WeightingNeeds::nothing) return;
                saved.manifest["weighting"] = {{"random", state.weighting_random.state()},
                                               {"numbers", state.weighting.numbers()}};
                for (const auto& [name, tensor] : state.weighting.tensors()) {
                  saved.tensors[prefix + name] = tensor;
                }
              },
          .load =
              [&state, prefix](RunReader& reader) {
                if (state.weighting.needs() == WeightingNeeds::nothing) return;
                const auto& saved = reader.saved.manifest.at("weighting");
                const Random random{saved.at("random").get<std::uint64_t>()};
                TensorMap tensors;
                for (const auto& [name, tensor] : reader.saved.tensors) {
                  if (name.starts_with(prefix)) tensors[name.substr(prefix.size())] = tensor;
                }
                auto weighting = state.weighting;
                weighting.load(saved.at("numbers"), tensors, reader.source);
                reader.then([&state, random, weighting = std::move(weighting)] {
                  state.weighting = weighting;
                  state.weighting_random = random;
                });
              },
          .describe =
              [&state](nlohmann::json& conditions) {
                conditions["weighting"] = state.weighting.description();
              }};
}

/// What an optimiser keeps of its parameters, as OPTIMISER.WHOSE.PARAMETER.WHAT.
/// @param whose  "generator", "critic.TASK"
inline RunPart updates_part(ParameterUpdates& updates, const std::string& whose) {
  const auto prefix = updates.optimizer().name() + "." + whose + ".";
  return {.save = [&updates, prefix](SavedRun& saved) { updates.collect(prefix, saved.tensors); },
          .load =
              [&updates, prefix](RunReader& reader) {
                reader.then(updates.load(prefix, reader.saved.tensors, reader.source));
              }};
}

/// Whether a generator takes `state`: a copy of it tries.
inline void try_state(const at::Generator& generator, const at::Tensor& state,
                      const std::string& source) {
  try {
    auto original = generator;
    std::lock_guard<std::mutex> lock(original.mutex());
    auto trial = original.clone();
    trial.set_state(state);
  } catch (const c10::Error& error) {
    limpid::fail(source, " is no state of a random generator: ", error.what_without_backtrace());
  }
}

/// The generators that dropout and initialisation draw from.
inline RunPart generator_part(const std::string& name, const at::Generator& generator) {
  return {.save =
              [name, generator](SavedRun& saved) {
                auto copy = generator;
                std::lock_guard<std::mutex> lock(copy.mutex());
                saved.tensors[name] = copy.get_state();
              },
          .load =
              [name, generator](RunReader& reader) {
                const auto found = reader.saved.tensors.find(name);
                if (found == reader.saved.tensors.end()) return;
                try_state(generator, found->second, reader.source + ": '" + name + "'");
                reader.then([generator, state = found->second] {
                  auto copy = generator;
                  std::lock_guard<std::mutex> lock(copy.mutex());
                  copy.set_state(state);
                });
              }};
}

/// What a task trains on and by which losses.
inline RunPart branch_part(const TaskState& task, const TrainerOptions& options) {
  return {.describe = [&task, &options](nlohmann::json& conditions) {
    const auto& branch = task.branch;
    nlohmann::json losses{{"content", branch.content.name()}};
    const auto adversarial = branch.adversary.loss_name();
    if (!adversarial.empty()) losses["adversarial"] = adversarial;
    const auto slope = branch.adversary.penalty_slope();
    if (!slope.empty()) losses["penalty_slope"] = slope;
    conditions["branches"][task.name] = {
        {"pairs", branch.pairs.size()},
        {"pair_names", checksum_of_names(branch.pairs)},
        {"batch_size", branch.batch_size * options.communicator.size()},
        {"crop", branch.crop},
        {"augmentation", branch.augmentation.text()},
        {"weight", branch.weight},
        {"adversarial_weight", branch.adversarial_weight},
        {"critic_updates", branch.critic_updates},
        {"critic", branch.adversary.describe_critic()},
        {"losses", std::move(losses)},
    };
    // Said only where it holds, because files of older runs do not say it.
    if (branch.crop_grows) {
      conditions["branches"][task.name]["crop"] = options.progressive_crop.text();
    }
    if (branch.pairs.late_degradation() != nullptr) {
      conditions["branches"][task.name]["degraded_on"] = "device";
    }
  }};
}

inline RunPart critic_part(TaskState& task) {
  const auto prefix = "critic." + task.name + ".";
  return {.save =
              [&task, prefix](SavedRun& saved) {
                collect_tensors(*task.branch.adversary.critic(), prefix, saved.tensors);
              },
          .load =
              [&task, prefix](RunReader& reader) {
                reader.weights.expect_module(*task.branch.adversary.critic(), prefix);
              }};
}

/// Whether an objective takes these numbers as its state; only the objective itself can say.
inline void check_loss_state(TaskState& task, const std::vector<double>& state,
                             const std::string& source) {
  auto& adversary = task.branch.adversary;
  const auto before = adversary.state();
  try {
    adversary.load_state(state);
  } catch (const c10::Error& error) {
    adversary.load_state(before);
    limpid::fail(source, ": branch '", task.name, "': ", error.what_without_backtrace());
  }
  adversary.load_state(before);
}

/// What a task draws its random numbers from, and what its adversarial loss remembers.
inline RunPart task_part(TaskState& task) {
  return {.save =
              [&task](SavedRun& saved) {
                saved.manifest["branches"][task.name] = {
                    {"random", task.random.state()}, {"loss_state", task.branch.adversary.state()}};
              },
          .load =
              [&task](RunReader& reader) {
                const auto& branch = reader.saved.manifest.at("branches").at(task.name);
                const Random random{branch.at("random").get<std::uint64_t>()};
                const auto state = branch.at("loss_state").get<std::vector<double>>();
                check_loss_state(task, state, reader.source);
                reader.then([&task, random, state] {
                  task.random = random;
                  task.branch.adversary.load_state(state);
                });
              }};
}

/// All parts of a run, once its optimisers are made. They refer to `state` and `options`.
inline std::vector<RunPart> run_parts(TrainingState& state, const TrainerOptions& options) {
  std::vector<RunPart> parts{
      options_part(options),
      position_part(state),
      model_part(state),
      average_part(state),
      best_part(state),
      weighting_part(state),
      updates_part(*state.updates, "generator"),
      generator_part("random.cpu", at::detail::getDefaultCPUGenerator()),
  };
  if (options.device.is_cuda()) {
    parts.push_back(
        generator_part("random.cuda", at::globalContext().defaultGenerator(options.device)));
  }
  for (auto& task : state.tasks) {
    parts.push_back(branch_part(task, options));
    parts.push_back(task_part(task));
    if (task.branch.adversary.critic() == nullptr) continue;
    parts.push_back(critic_part(task));
    parts.push_back(updates_part(*task.critic_updates, "critic." + task.name));
  }
  return parts;
}

}  // namespace limpid::detail
