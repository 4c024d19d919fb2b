#pragma once

#include <limpid/core/json_text.hpp>
#include <limpid/model/model_file.hpp>
#include <limpid/training/training_state.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/ops/isfinite.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

// A checkpoint is a safetensors file with a manifest, as a model file is (model_file.hpp). Beside
// the model's tensors it holds `critic.TASK.*`, `adam.generator.*`, `adam.critic.TASK.*` and the
// state of LibTorch's random generator, so that a resumed run equals one that never stopped.

namespace limpid::detail {

inline constexpr const char* kCheckpointName = "checkpoint.limpid";
inline constexpr const char* kModelName = "model.limpid";

/// Names of the content and adversarial loss, where they have one.
inline nlohmann::json describe_losses(const AnyBranch& branch) {
  nlohmann::json losses = nlohmann::json::object();
  losses["content"] = branch.content.name();
  const auto adversarial = branch.adversary.loss_name();
  if (!adversarial.empty()) losses["adversarial"] = adversarial;
  return losses;
}

/// What must be the same for a run to be resumed: networks, data, batches, crops, losses, rates,
/// seed.
inline nlohmann::json resume_conditions(const TrainingState& state, const TrainerOptions& options) {
  nlohmann::json conditions{{"seed", options.seed},
                            {"rate", options.rate},
                            {"critic_rate", options.critic_rate},
                            {"betas", {options.beta1, options.beta2}},
                            {"clip_gradient_norm", options.clip_gradient_norm},
                            {"freeze_encoder_epochs", options.freeze_encoder_epochs},
                            {"model", state.model.describe()},
                            {"precision", name_of(resolve(options.precision, options.device))}};
  for (const auto& task : state.tasks) {
    const auto& branch = task.branch;
    conditions["branches"][task.name] = {
        {"pairs", branch.pairs.size()},
        {"batch_size", branch.batch_size},
        {"crop", branch.crop},
        {"augmentation", branch.augmentation.text()},
        {"weight", branch.weight},
        {"adversarial_weight", branch.adversarial_weight},
        {"critic_updates", branch.critic_updates},
        {"critic", branch.adversary.describe_critic()},
        {"losses", describe_losses(branch)},
    };
  }
  return conditions;
}

inline at::Tensor default_generator_state(const at::Generator& generator) {
  auto copy = generator;
  std::lock_guard<std::mutex> lock(copy.mutex());
  return copy.get_state();
}

/// The generators that dropout and initialisation draw from.
inline std::vector<std::pair<std::string, at::Generator>> default_generators(c10::Device device) {
  std::vector<std::pair<std::string, at::Generator>> generators{
      {"random.cpu", at::detail::getDefaultCPUGenerator()}};
  if (device.is_cuda()) {
    generators.emplace_back("random.cuda", at::globalContext().defaultGenerator(device));
  }
  return generators;
}

inline bool all_finite(const TensorMap& tensors, std::string& name_of_fault) {
  for (const auto& [name, tensor] : tensors) {
    if (tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>()) {
      name_of_fault = name;
      return false;
    }
  }
  return true;
}

/// Writes RUN/checkpoint.limpid and RUN/model.limpid, each aside and renamed into place.
/// @throws c10::Error, with the files as they were, if a weight is not finite or the disk is full.
inline void write_checkpoint(TrainingState& state, const TrainerOptions& options) {
  auto model = state.model.tensors();
  auto tensors = model;
  nlohmann::json branches = nlohmann::json::object();
  collect_adam(*state.adam, state.model.parameters, "adam.generator.", tensors);
  for (auto& task : state.tasks) {
    if (auto* critic = task.branch.adversary.critic()) {
      collect_tensors(*critic, "critic." + task.name + ".", tensors);
      collect_adam(*task.critic_adam, task.critic_parameters, "adam.critic." + task.name + ".",
                   tensors);
    }
    branches[task.name] = {{"random", task.random.state()},
                           {"loss_state", task.branch.adversary.state()}};
  }
  std::string fault;
  TORCH_CHECK(all_finite(tensors, fault), "checkpoint not written: '", fault,
              "' holds a value that is not finite; the last checkpoint stays");
  for (const auto& [name, generator] : default_generators(options.device)) {
    tensors[name] = default_generator_state(generator);
  }

  auto manifest = state.model.describe();
  manifest.update({{"step", state.step},
                   {"seconds", state.seconds},
                   {"recipe", options.recipe},
                   {"facts", options.facts}});
  auto checkpoint = manifest;
  manifest["kind"] = "model";
  checkpoint["kind"] = "checkpoint";
  checkpoint["branches"] = std::move(branches);
  checkpoint["conditions"] = resume_conditions(state, options);
  write_with_manifest(options.out / kCheckpointName, std::move(checkpoint), std::move(tensors));
  write_with_manifest(options.out / kModelName, std::move(manifest), std::move(model));
}

/// Refuses to resume under other conditions than the run had, naming the first that differs.
inline void check_conditions(const nlohmann::json& found, const nlohmann::json& expected,
                             const std::string& source) {
  const auto difference = nlohmann::json::diff(found, expected);
  if (difference.empty()) return;
  const auto& first = difference.front();
  const nlohmann::json::json_pointer where{first.at("path").get<std::string>()};
  TORCH_CHECK(
      false, source, ": cannot resume, because the run was started with ", where.to_string(), " = ",
      found.contains(where) ? json_excerpt(found.at(where), 400) : "nothing", ", and this one has ",
      expected.contains(where) ? json_excerpt(expected.at(where), 400) : "nothing");
}

/// Puts a run where the checkpoint left it.
/// @throws c10::Error that names the file if it is damaged or belongs to another run.
inline void read_checkpoint(TrainingState& state, const TrainerOptions& options) {
  const auto file = read_with_manifest(options.out / kCheckpointName, "checkpoint");
  try {
    check_tasks(file, state.model.tasks);
    check_conditions(file.manifest.at("conditions"), resume_conditions(state, options),
                     file.source);
    TensorLoader loader;
    std::vector<std::string> prefixes{"encoder.", "decoder.", "critic."};
    state.model.expect(loader);
    for (auto& task : state.tasks) {
      if (auto* critic = task.branch.adversary.critic()) {
        loader.expect_module(*critic, "critic." + task.name + ".");
      }
    }
    loader.apply(file.tensors, file.source, prefixes);

    restore_adam(*state.adam, state.model.parameters, "adam.generator.", file.tensors, file.source);
    for (auto& task : state.tasks) {
      if (task.critic_adam) {
        restore_adam(*task.critic_adam, task.critic_parameters, "adam.critic." + task.name + ".",
                     file.tensors, file.source);
      }
      const auto& branch = file.manifest.at("branches").at(task.name);
      task.random = Random{branch.at("random").get<std::uint64_t>()};
      task.branch.adversary.load_state(branch.at("loss_state").get<std::vector<double>>());
    }
    for (auto& [name, generator] : default_generators(options.device)) {
      const auto saved = file.tensors.find(name);
      if (saved == file.tensors.end()) continue;
      auto copy = generator;
      std::lock_guard<std::mutex> lock(copy.mutex());
      copy.set_state(saved->second);
    }
    state.step = file.manifest.at("step").get<std::int64_t>();
    state.seconds = file.manifest.at("seconds").get<double>();
  } catch (const nlohmann::json::exception& error) {
    TORCH_CHECK(false, file.source, ": its manifest is malformed (", error.what(), ")");
  }
}

}  // namespace limpid::detail
