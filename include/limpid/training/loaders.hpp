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

/// Gives each task a loader that stands where the run does.
/// @return the tasks' batches of an epoch
inline std::vector<std::int64_t> start_loaders(TrainingState& state,
                                               const TrainerOptions& options) {
  std::vector<std::int64_t> batches;
  for (std::size_t t = 0; t < state.tasks.size(); ++t) {
    auto& task = state.tasks[t];
    LoaderOptions loader;
    loader.batch_size = task.branch.batch_size * options.accumulate;
    loader.crop = task.branch.crop;
    loader.augmentation = task.branch.augmentation;
    loader.seed = Random::stream(options.seed, {0x64617461, t}).bits();
    loader.workers = options.workers;
    loader.cache_mb = options.cache_mb;
    loader.world = options.communicator.size();
    loader.rank = options.communicator.rank();
    task.loader = std::make_unique<PairLoader>(task.branch.pairs, loader);
    task.loader->seek(state.step);
    batches.push_back(task.loader->batches_per_epoch());
  }
  return batches;
}

}  // namespace limpid::detail
