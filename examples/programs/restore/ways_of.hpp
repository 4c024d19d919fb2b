#pragma once

// How a restorer changes frames, for one task or for those that its router is sure of.

#include <limpid/inference/any_restorer.hpp>
#include <limpid/io/image.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "frame_ways.hpp"

namespace examples {

/// What `auto` does to all frames of a video alike: the tasks that it is sure of in at least half
/// of some frames.
inline std::vector<std::string> tasks_for(const limpid::AnyRestorer& restorer,
                                          const std::vector<limpid::Image>& frames) {
  std::map<std::string, std::size_t> votes;
  for (const auto& frame : frames) {
    for (const auto& guess : restorer.restore_routed(frame).done) ++votes[guess.task];
  }
  std::vector<std::string> tasks;
  for (const auto& task : restorer.tasks()) {
    if (2 * votes[task] >= frames.size()) tasks.push_back(task);
  }
  return tasks;
}

/// @param restorer  outlives what is returned
inline RestoreWays ways_of(const limpid::AnyRestorer& restorer, const std::string& task) {
  RestoreWays ways;
  ways.picture = [&restorer, task](const limpid::Image& degraded) {
    return restorer.restore(task, degraded);
  };
  if (task == "auto" && restorer.router()) {
    ways.tasks_of_frames = [&restorer](const std::vector<limpid::Image>& frames) {
      return tasks_for(restorer, frames);
    };
    ways.by_tasks = [&restorer](const std::vector<std::string>& tasks,
                                const limpid::Image& degraded) {
      return restorer.restore_in_turn(tasks, degraded);
    };
    ways.routed = [&restorer](const limpid::Image& degraded) {
      return restorer.restore_routed(degraded);
    };
  }
  return ways;
}

}  // namespace examples
