#pragma once

#include <limpid/core/json_text.hpp>
#include <limpid/model/adapters.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/families.hpp>
#include <limpid/model/manifest.hpp>
#include <limpid/model/state_dict.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

// Trained models with other tasks than before. Networks are those of the table of families; each
// function returns a model of its own and leaves the given one as it is.

namespace limpid {

namespace detail {

/// A model as `description` says, with the values of `weights` where it has a tensor of that name;
/// the others stay fresh. Evaluation mode, on the CPU.
inline AnyModel filled_model(const nlohmann::json& description, const TensorMap& weights) {
  const std::string source = "model";
  const auto model = build_described(description, source);
  TensorLoader loader;
  for (const auto& [name, tensor] : model.tensors()) {
    if (weights.count(name) != 0) loader.expect(name, tensor);
  }
  loader.apply(weights, source, {});
  model.module->eval();
  return model;
}

/// Names of tensors after a prefix whose values in two models are not the same bits.
inline std::vector<std::string> different_values(const TensorMap& a, const TensorMap& b,
                                                 const std::string& prefix) {
  std::vector<std::string> different;
  for (const auto& [name, tensor] : a) {
    if (!name.starts_with(prefix)) continue;
    const auto found = b.find(name);
    if (found == b.end() || checksum_of(tensor) != checksum_of(found->second)) {
      different.push_back(name);
    }
  }
  return different;
}

/// What a description says of a task.
inline nlohmann::json entry_of(const nlohmann::json& description, const std::string& task) {
  for (const auto& entry : description.at("tasks")) {
    if (entry.at("name") == task) return entry;
  }
  return {};
}

}  // namespace detail

/// A trained model and decoders of further tasks behind its own, their weights drawn from
/// LibTorch's generator. They have the options of the model's first decoder.
///
/// ```cpp
/// AnyModel model = add_tasks(load_any("run/model.limpid").model, {"derain"});
/// TrainerOptions options{.frozen = {"encoder", "decoder.deblur", "decoder.dehaze"}};
/// ```
/// @throws c10::ValueError for a task that the model has, or a name that cannot name one.
inline AnyModel add_tasks(const AnyModel& trained, const std::vector<std::string>& tasks) {
  auto description = trained.describe();
  const auto decoder = description.at("tasks").at(0).value("decoder", nlohmann::json::object());
  for (const auto& task : tasks) {
    TORCH_CHECK_VALUE(!trained.has(task), "add_tasks: the model has a task '", task, "' already");
    description["tasks"].push_back({{"name", task}, {"decoder", decoder}});
  }
  return detail::filled_model(description, trained.tensors());
}

/// A trained model with some of its tasks only, in the given order.
/// @throws c10::ValueError for a task that the model lacks, or that is named twice; for none.
inline AnyModel take_tasks(const AnyModel& trained, const std::vector<std::string>& tasks) {
  auto description = trained.describe();
  auto entries = nlohmann::json::array();
  for (const auto& task : tasks) {
    trained.index_of(task);
    entries.push_back(detail::entry_of(description, task));
  }
  description["tasks"] = std::move(entries);
  return detail::filled_model(description, trained.tensors());
}

/// A model whose given tasks have adapters of the shared encoder (`with_adapters`), zero at first;
/// those that have them already keep theirs.
/// @throws c10::ValueError for a task that the model lacks, or a rank below 1.
inline AnyModel add_adapters(const AnyModel& model, const std::vector<std::string>& tasks,
                             const AdapterOptions& options = {}) {
  auto description = model.describe();
  for (const auto& task : tasks) {
    auto& entry = description.at("tasks").at(model.index_of(task));
    if (!entry.contains("adapter")) entry["adapter"] = options;
  }
  return detail::filled_model(description, model.tensors());
}

/// A model of one task whose adapters are added to its encoder's convolutions: what it restores is
/// the same to the bit, at the cost of an encoder without adapters.
/// @throws c10::ValueError if it has several tasks (`take_tasks`).
inline AnyModel merge_adapters(const AnyModel& model) {
  TORCH_CHECK_VALUE(model.tasks.size() == 1,
                    "adapters: expected one task to merge into the encoder, got ",
                    detail::listed(model.tasks));
  auto description = model.describe();
  description.at("tasks").at(0).erase("adapter");
  auto weights = model.tensors();
  const std::string prefix = detail::adapter_prefix(model.tasks.front()), up = ".up";
  for (const auto& [name, tensor] : model.tensors()) {
    if (!name.starts_with(prefix)) continue;
    if (name.ends_with(up)) {
      const auto path = name.substr(prefix.size(), name.size() - prefix.size() - up.size());
      auto& weight = weights.at("encoder." + path + ".weight");
      weight = detail::adapted_weight(weight, tensor, weights.at(prefix + path + ".down"));
    }
  }
  std::erase_if(weights, [&](const auto& item) { return item.first.starts_with(prefix); });
  return detail::filled_model(description, weights);
}

/// A trained model whose encoder has more than before, as with `{{"context", 32}}`: weights that it
/// had keep their values, new ones begin as the network begins them.
/// @param options  of the encoder, those that change
/// @throws c10::Error where the options change or drop weights that the model has.
inline AnyModel extend_encoder(const AnyModel& trained, const nlohmann::json& options) {
  auto description = trained.describe();
  auto& encoder = description.at("encoder");
  auto all = encoder.value("options", nlohmann::json::object());
  all.update(options, /*merge_objects=*/true);
  encoder["options"] = std::move(all);
  const auto had = trained.tensors();
  auto model = detail::filled_model(description, had);
  const auto has = model.tensors();
  for (const auto& [name, tensor] : had) {
    TORCH_CHECK(has.count(name) != 0, "encoder options ", json_excerpt(options),
                ": expected some that add to the encoder, found that they drop '", name, "'");
  }
  return model;
}

/// A model and what errors call it: its file.
struct NamedModel {
  std::string name;
  AnyModel model;
};

/// One model of the tasks of several that have the same encoder, to the bit: tasks that were added
/// to one trained model apart from each other, its encoder frozen.
///
/// A task that several have is taken once where it is the same to the bit, too.
/// @throws c10::ValueError if there is no model, or two have different tasks of one name.
/// @throws c10::Error that names the model whose encoder is another than the first one's, and what
///         differs.
inline AnyModel join_tasks(const std::vector<NamedModel>& models) {
  TORCH_CHECK_VALUE(!models.empty(), "join_tasks: expected a model, got none");
  const auto& first = models.front();
  auto description = first.model.describe();
  auto weights = first.model.tensors();
  for (auto other = models.begin() + 1; other != models.end(); ++other) {
    const auto described = other->model.describe();
    const auto whose = "'" + other->name + "' has another encoder than '" + first.name + "': ";
    TORCH_CHECK(described.at("encoder") == description.at("encoder"), whose, "expected ",
                json_excerpt(description.at("encoder")), ", found ",
                json_excerpt(described.at("encoder")));
    const auto theirs = other->model.tensors();
    const auto different = detail::different_values(theirs, weights, "encoder.");
    TORCH_CHECK(different.empty(), whose, "different values of ", detail::listed(different),
                "; decoders can read only the features of the encoder that they were trained with");
    for (const auto& entry : described.at("tasks")) {
      const auto task = entry.at("name").get<std::string>();
      const auto ours = detail::entry_of(description, task);
      if (!ours.is_null()) {
        const bool same =
            ours == entry &&
            detail::different_values(theirs, weights, detail::decoder_prefix(task)).empty() &&
            detail::different_values(theirs, weights, detail::adapter_prefix(task)).empty();
        TORCH_CHECK_VALUE(same, "'", other->name, "' has another task '", task,
                          "' than an earlier model; take it out of one of them");
        continue;
      }
      description["tasks"].push_back(entry);
    }
    for (const auto& [name, tensor] : theirs) weights.emplace(name, tensor);
  }
  return detail::filled_model(description, weights);
}

}  // namespace limpid
