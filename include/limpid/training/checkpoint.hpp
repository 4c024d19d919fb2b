#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/finite.hpp>
#include <limpid/model/model_file.hpp>
#include <limpid/training/resume_conditions.hpp>
#include <limpid/training/run_folder.hpp>
#include <limpid/training/run_parts.hpp>
#include <limpid/training/training_state.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <utility>

// A checkpoint is a safetensors file with a manifest, as a model file is. It holds what every part
// of the run saves (run_parts.hpp), so that a resumed run equals one that never stopped.

namespace limpid::detail {

inline nlohmann::json resume_conditions(TrainingState& state, const TrainerOptions& options) {
  auto conditions = nlohmann::json::object();
  for (const auto& part : run_parts(state, options)) part.describe(conditions);
  return conditions;
}

/// Writes RUN/checkpoint.limpid and RUN/model.limpid, each aside and renamed into place.
/// @throws c10::Error, with the files as they were, if a weight is not finite or the disk is full.
inline void write_checkpoint(TrainingState& state, const TrainerOptions& options) {
  SavedRun run;
  for (const auto& part : run_parts(state, options)) part.save(run);
  check_finite(run.tensors, "checkpoint not written, the last one stays");

  auto manifest = state.model.describe();
  manifest.update({{"kind", "model"},
                   {"step", state.step},
                   {"seconds", state.seconds},
                   {"recipe", options.recipe},
                   {"facts", options.facts},
                   {"precision", name_of(resolve(options.precision, options.device))},
                   {"convolution", name_of(options.convolution)}});
  if (options.device.is_cuda()) manifest["tf32"] = options.tf32;
  run.manifest.update(manifest);
  run.manifest["kind"] = "checkpoint";
  run.manifest["conditions"] = resume_conditions(state, options);
  write_with_manifest(options.out / kCheckpointName, std::move(run.manifest),
                      std::move(run.tensors));
  write_with_manifest(options.out / kModelName, std::move(manifest), state.model.tensors());
}

/// Puts a run where the checkpoint left it; nothing changes unless all of it fits.
/// @throws c10::Error that names the file if it is damaged or belongs to another run.
inline void read_checkpoint(TrainingState& state, const TrainerOptions& options) {
  auto file = read_with_manifest(options.out / kCheckpointName, "checkpoint");
  try {
    check_tasks(file, state.model.tasks);
    const auto now = resume_conditions(state, options);
    const auto& before = file.manifest.at("conditions");
    check_conditions(before, now, options.data_changed, file.source);
    const bool other_data = !same_data(before, now);
    const SavedRun saved{std::move(file.tensors), std::move(file.manifest)};
    RunReader reader{saved, file.source};
    for (const auto& part : run_parts(state, options)) part.load(reader);
    reader.apply({"encoder.", "decoder.", "critic."});
    if (other_data) state.data_changes.push_back(state.step);
  } catch (const nlohmann::json::exception& error) {
    limpid::fail(file.source, ": its manifest is malformed (", error.what(), ")");
  }
}

}  // namespace limpid::detail
