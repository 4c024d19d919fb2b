#pragma once

#include <limpid/core/modules.hpp>
#include <limpid/model/adapters.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/change_tasks.hpp>
#include <limpid/model/describe.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// The same model for restoring: each task that has adapters gets an encoder of its own, to which
/// they are added, and so no task waits for another or exchanges weights, and networks can be
/// compiled. It restores the same bits and describes itself as before; what it costs is the memory
/// of an encoder for each such task. A model without adapters comes back as it is.
///
/// Its weights are copies, and their names are not a file's: it is not for training or saving.
inline AnyModel merged_tasks(const AnyModel& model) {
  auto description = model.describe();
  std::vector<std::string> adapted;
  for (auto& entry : description.at("tasks")) {
    if (entry.erase("adapter") != 0) adapted.push_back(entry.at("name").get<std::string>());
  }
  if (adapted.empty()) return model;
  auto weights = model.tensors();
  std::erase_if(weights, [](const auto& item) { return item.first.starts_with("adapter."); });

  auto plain = detail::filled_model(description, weights);
  auto root = std::make_shared<torch::nn::Module>("MergedTasks");
  root->register_module("shared", plain.module);
  std::vector<AnyModel> parts(plain.tasks.size());
  for (const auto& task : adapted) {
    auto& part = parts[plain.index_of(task)];
    part = merge_adapters(take_tasks(model, {task}));
    root->register_module("of-" + task, part.module);
  }
  root->eval();

  auto whole = plain;
  whole.module = root;
  whole.parameters.clear();
  for (const auto& item : root->named_parameters()) {
    whole.parameters.emplace_back(item.key(), item.value());
  }
  whole.restore = [parts, shared = plain.restore](std::size_t task, const at::Tensor& degraded) {
    const auto& own = parts.at(task).restore;
    return own ? own(0, degraded) : shared(task, degraded);
  };
  if (plain.look) {
    whole.look = [parts, shared = plain.look](const at::Tensor& degraded) {
      auto look = shared(degraded);
      for (std::size_t task = 0; task < parts.size(); ++task) {
        if (parts[task].restore) look.restored[task] = parts[task].restore(0, degraded);
      }
      return look;
    };
  }
  whole.describe = model.describe;
  whole.copy = [model] { return merged_tasks(model.copy()); };
  return whole;
}

}  // namespace limpid
