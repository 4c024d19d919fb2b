#pragma once

#include <limpid/core/random.hpp>
#include <limpid/datasets/loader.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/training_state.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace limpid::detail {

/// Crops of a task in a step, those of all its accumulated parts.
inline std::int64_t crops_of_step(const TaskState& task, const TrainerOptions& options) {
  return task.branch.batch_size * options.accumulate;
}

/// The tasks' batches of an epoch.
inline std::vector<std::int64_t> batches_per_epoch(const TrainingState& state,
                                                   const TrainerOptions& options) {
  std::vector<std::int64_t> batches;
  for (const auto& task : state.tasks) {
    batches.push_back(
        PairLoader::batches_per_epoch(task.branch.pairs, crops_of_step(task, options)));
  }
  return batches;
}

/// Gives each task a loader that stands where the run does.
/// @param last_step  of the run
inline void start_loaders(TrainingState& state, const TrainerOptions& options,
                          std::int64_t last_step) {
  for (std::size_t t = 0; t < state.tasks.size(); ++t) {
    auto& task = state.tasks[t];
    LoaderOptions loader;
    loader.batch_size = crops_of_step(task, options);
    loader.crop = task.branch.crop;
    if (task.branch.crop_grows) {
      loader.later_crops = options.progressive_crop.by_batch(last_step);
    }
    loader.augmentation = task.branch.augmentation;
    loader.seed = Random::stream(options.seed, {0x64617461, t}).bits();
    loader.workers = options.workers;
    loader.cache_mb = options.cache_mb;
    loader.cut_mb = options.cut_mb;
    loader.world = options.communicator.size();
    loader.rank = options.communicator.rank();
    loader.parts = options.accumulate;
    task.loader = std::make_unique<PairLoader>(task.branch.pairs, loader);
    task.loader->seek(state.step);
  }
}

}  // namespace limpid::detail
