#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/parallel/communicator.hpp>
#include <limpid/training/checkpoint.hpp>
#include <limpid/training/pair_names.hpp>
#include <limpid/training/run_parts.hpp>
#include <limpid/training/training_state.hpp>

#include <ATen/ops/empty.h>
#include <torch/version.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What makes several processes one run: they are asked the same, and begin where the first stands.

namespace limpid::detail {

/// All that has to be equal on all processes, or they would not do the same steps.
inline nlohmann::json asked_of_all(TrainingState& state, const TrainerOptions& options) {
  auto asked = resume_conditions(state, options);
  asked["length"] = {
      options.length.index(),
      std::visit([](const auto& length) { return static_cast<double>(length.count); },
                 options.length)};
  asked["stop_after"] = options.stop_after;
  asked["interference_every"] = options.interference_every;
  asked["validate_every"] = options.validate_every;
  for (const auto& task : state.tasks) {
    const auto& validation = task.branch.validation;
    asked["validation"][task.name] = {options.validation_images > 0
                                          ? std::min(options.validation_images, validation.size())
                                          : validation.size(),
                                      checksum_of_names(validation)};
  }
  return asked;
}

/// @throws c10::Error that says what this process was asked otherwise than the first.
inline void check_asked_alike(TrainingState& state, const TrainerOptions& options) {
  const auto& world = options.communicator;
  const auto mine = asked_of_all(state, options);
  const auto first = nlohmann::json::parse(world.broadcast_text(json_line(mine)));
  const auto difference = nlohmann::json::diff(first, nlohmann::json::parse(json_line(mine)));
  if (difference.empty()) return;
  const auto path = difference.front().at("path").get<std::string>();
  const nlohmann::json::json_pointer where{path};
  const auto value = [&](const nlohmann::json& json) {
    return json.contains(where) ? json_excerpt(json.at(where), 400) : "nothing";
  };
  limpid::fail("rank ", world.rank(), " of ", world.size(),
               " was asked for another run than rank 0: ", path, " = ", value(mine), ", there ",
               value(first));
}

/// @throws c10::ValueError where gradients cannot be sent as asked.
inline void check_sums(const TrainerOptions& options) {
  const auto type = type_of_sums(options.reduce_in);
  if (type == at::kFloat) return;
  const auto why = options.communicator.why_no_sum(type, options.device);
  TORCH_CHECK_VALUE(why.empty(), "reduce_in ", name_of(options.reduce_in),
                    ": the LibTorch of this build, " TORCH_VERSION
                    ", adds up no such numbers of several processes on ",
                    options.device, "; use float32 (", why.substr(0, why.find('\n')), ")");
}

/// Gives all processes the tensors of the first. @param names_and_forms  as `forms_of` says them
inline void broadcast_tensors(const Communicator& world, const nlohmann::json& forms,
                              TensorMap& tensors) {
  for (const auto& [name, form] : forms.items()) {
    const auto type = static_cast<at::ScalarType>(form.at(0).get<int>());
    const auto shape = form.at(1).get<std::vector<std::int64_t>>();
    auto& tensor = tensors[name];
    if (!world.is_first()) {
      tensor = at::empty(shape, type);
    } else {
      tensor = tensor.detach().to(at::kCPU).contiguous();
    }
    if (tensor.numel() > 0) world.broadcast(tensor.reshape({-1}).view(at::kByte));
  }
}

inline nlohmann::json forms_of(const TensorMap& tensors) {
  auto forms = nlohmann::json::object();
  for (const auto& [name, tensor] : tensors) {
    forms[name] = {static_cast<int>(tensor.scalar_type()), tensor.sizes().vec()};
  }
  return forms;
}

/// Puts all processes where the first stands: weights, optimisers, critics, random states, step.
/// @throws c10::Error where one was asked for another run.
inline void share_run(TrainingState& state, const TrainerOptions& options) {
  const auto& world = options.communicator;
  if (world.is_alone()) return;
  check_asked_alike(state, options);
  check_sums(options);
  SavedRun run;
  if (world.is_first()) {
    for (const auto& part : run_parts(state, options)) part.save(run);
  }
  const auto header = nlohmann::json::parse(world.broadcast_text(
      json_line(nlohmann::json{{"manifest", run.manifest}, {"forms", forms_of(run.tensors)}})));
  broadcast_tensors(world, header.at("forms"), run.tensors);
  if (world.is_first()) return;
  run.manifest = header.at("manifest");
  RunReader reader{run, "the run of rank 0"};
  for (const auto& part : run_parts(state, options)) part.load(reader);
  reader.apply({"encoder.", "decoder.", "critic."});
}

}  // namespace limpid::detail
