#pragma once

// What limpid-evaluate measures, and where it keeps what is restored.

#include <limpid/datasets/data_argument.hpp>
#include <limpid/datasets/pairs.hpp>

#include <c10/util/Exception.h>

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "../program.hpp"

namespace examples {

/// The command line of what is measured.
struct TasksPlan {
  std::vector<std::string> data;
  std::int64_t max_images = 0;  ///< of each task; 0: all
  std::filesystem::path save;   ///< empty: nothing is kept
  bool overwrite = false;
};

/// The folder for a task's restored pictures, which must not be one that its data are in.
inline std::filesystem::path save_folder(const TasksPlan& plan, const limpid::DataArgument& data) {
  const auto folder = plan.save / data.task;
  std::istringstream paths{data.path};
  for (std::string path; std::getline(paths, path, ',');) {
    for (const auto& taken : {std::filesystem::path{path}, std::filesystem::path{path} / "input",
                              std::filesystem::path{path} / "target"}) {
      std::error_code ignored;
      if (!std::filesystem::equivalent(folder, taken, ignored)) continue;
      throw UsageError("--save: '" + folder.string() + "' holds the data");
    }
  }
  make_folder("--save", folder);
  return folder;
}

inline std::filesystem::path saved_as(const std::filesystem::path& folder,
                                      const std::string& name) {
  return folder / (name + ".png");
}

/// Stops, before anything is restored, where --save would write over what is there.
inline void check_new(const TasksPlan& plan, const std::filesystem::path& folder,
                      const limpid::Pairs& pairs) {
  if (plan.overwrite) return;
  for (std::int64_t i = 0; i < pairs.size(); ++i) {
    const auto file = saved_as(folder, pairs.name(i));
    std::error_code ignored;
    TORCH_CHECK(!std::filesystem::exists(std::filesystem::symlink_status(file, ignored)),
                "--save: '", file.string(),
                "' is there already; name another folder, or --overwrite to replace");
  }
}

/// A task, the pairs that it is measured on, and where its restored pictures are kept.
struct TaskPlan {
  std::string task;
  limpid::Pairs pairs;
  std::int64_t all = 0;          ///< pairs of the set, of which `pairs` may be the first
  std::filesystem::path folder;  ///< empty: they are not kept
};

/// Opens what is measured, and finds all that would stop it later.
inline std::vector<TaskPlan> plan_tasks(const TasksPlan& plan,
                                        const std::vector<limpid::DataArgument>& arguments) {
  std::vector<TaskPlan> tasks;
  for (const auto& argument : arguments) {
    const auto all = limpid::open_pairs(argument, limpid::DataUse::evaluation);
    const auto pairs = plan.max_images > 0 ? all.first(plan.max_images) : all;
    TORCH_CHECK_VALUE(!pairs.empty(), "--data: task '", argument.task, "' has no pairs");
    tasks.push_back({argument.task, pairs, all.size(), {}});
    if (plan.save.empty()) continue;
    tasks.back().folder = save_folder(plan, argument);
    check_new(plan, tasks.back().folder, pairs);
  }
  return tasks;
}

}  // namespace examples
