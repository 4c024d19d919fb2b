#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/finite.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/model/model_file.hpp>
#include <limpid/training/averaged_weights.hpp>
#include <limpid/training/best_validation.hpp>
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

/// What files of a run's model say of it.
inline nlohmann::json model_manifest(const TrainingState& state, const TrainerOptions& options) {
  auto manifest = state.model.describe();
  manifest.update({{"kind", "model"},
                   {"step", state.step},
                   {"seconds", state.seconds},
                   {"recipe", options.recipe},
                   {"facts", options.facts},
                   {"precision", name_of(resolve(options.precision, options.device))},
                   {"convolution", name_of(options.convolution)}});
  if (options.device.is_cuda()) manifest["tf32"] = options.tf32;
  if (options.memory_format != at::MemoryFormat::Contiguous) {
    manifest["memory_format"] = name_of(options.memory_format);
  }
  if (options.cudnn_benchmark) manifest["cudnn_benchmark"] = true;
  if (options.step_graphs && state.graph.why_not().empty()) manifest["step_graphs"] = true;
  if (options.checkpoint_blocks) manifest["checkpoint_blocks"] = true;
  return manifest;
}

/// Writes one of a run's model files, with the averaged weights where there are any.
inline void write_model(const char* name, TrainingState& state, const TrainerOptions& options,
                        nlohmann::json manifest) {
  if (state.average) manifest["average"] = options.average;
  write_with_manifest(options.out / name, std::move(manifest), tensors_for_use(state));
}

/// Writes RUN/best.limpid, aside and renamed into place.
/// @param scores  of its validation, kept in it
inline void write_best(TrainingState& state, const TrainerOptions& options,
                       const nlohmann::json& scores) {
  check_finite(tensors_for_use(state), std::string{kBestName} + " not written, the last one stays");
  auto manifest = model_manifest(state, options);
  manifest["validation"] = scores;
  manifest["best"] = best_json(*state.best);
  write_model(kBestName, state, options, std::move(manifest));
}

/// Writes RUN/checkpoint.limpid and RUN/model.limpid, each aside and renamed into place; with an
/// average of weights, RUN/raw.limpid beside it.
/// @throws c10::Error, with the files as they were, if a weight is not finite or the disk is full.
inline void write_checkpoint(TrainingState& state, const TrainerOptions& options) {
  SavedRun run;
  for (const auto& part : run_parts(state, options)) part.save(run);
  check_finite(run.tensors, "checkpoint not written, the last one stays");

  auto manifest = model_manifest(state, options);
  run.manifest.update(manifest);
  run.manifest["kind"] = "checkpoint";
  run.manifest["conditions"] = resume_conditions(state, options);
  write_with_manifest(options.out / kCheckpointName, std::move(run.manifest),
                      std::move(run.tensors));
  if (state.average) write_with_manifest(options.out / kRawName, manifest, state.model.tensors());
  write_model(kModelName, state, options, std::move(manifest));
}

/// Puts a run where the checkpoint left it; nothing changes unless all of it fits.
/// @throws c10::Error that names the file if it is damaged or belongs to another run.
inline void read_checkpoint(TrainingState& state, const TrainerOptions& options) {
  auto file = read_with_manifest(options.out / kCheckpointName, "checkpoint");
  try {
    check_tasks(file, tasks_of(state.model.describe()));
    const auto now = resume_conditions(state, options);
    const auto& before = file.manifest.at("conditions");
    check_conditions(before, now, options.data_changed, file.source);
    const bool other_data = !same_data(before, now);
    const SavedRun saved{std::move(file.tensors), std::move(file.manifest)};
    RunReader reader{saved, file.source};
    for (const auto& part : run_parts(state, options)) part.load(reader);
    reader.apply({"encoder.", "decoder.", "adapter.", "critic."});
    if (other_data) state.data_changes.push_back(state.step);
  } catch (const nlohmann::json::exception& error) {
    limpid::fail(file.source, ": its manifest is malformed (", error.what(), ")");
  }
}

}  // namespace limpid::detail
