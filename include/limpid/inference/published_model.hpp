#pragma once

#include <limpid/core/modules.hpp>
#include <limpid/inference/published_shapes.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/model/families.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/map_registry.hpp>
#include <limpid/weights/save_weights.hpp>
#include <limpid/weights/weights_report.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// Builds networks, has `fill` fill their tensors from a file, and writes them as a model file.
template <class Fill>
WeightsReport write_filled(const Network& network, const std::vector<std::string>& tasks, Fill fill,
                           const nlohmann::json& facts, const std::filesystem::path& path) {
  const auto model = make_model(network, tasks);
  WeightsReport report = fill(named_tensors(*model.module));
  save(model, path, {{"facts", facts}});
  return report;
}

}  // namespace detail

/// Writes the model file of a published checkpoint; sizes of the networks follow from its shapes.
///
/// @param map_name  one of `kPublishedMaps` that names a model
/// @param tasks     of the file's decoders, in its order
/// @param changed   options that differ from the published evaluation's, as `Network::options`:
///                  `{{"local_train_size", 0}}` takes NAFNet's means over whole pictures
/// @return what was loaded.
/// @throws c10::ValueError if the map is unknown or no model's, or has one task and gets several.
/// @throws c10::Error that names the file if it does not fit; then nothing is written.
inline WeightsReport import_published(const std::filesystem::path& checkpoint,
                                      const std::filesystem::path& model,
                                      const std::string& map_name,
                                      const std::vector<std::string>& tasks,
                                      LoadOptions options = {},
                                      const nlohmann::json& changed = nlohmann::json::object()) {
  using namespace detail;
  TORCH_CHECK_VALUE(kPublishedMaps.at(map_name).is_model(), "import_published: '", map_name,
                    "' names no model, but a network that limpid reads as it is");
  for (const auto& task : tasks) {
    TORCH_CHECK_VALUE(is_task_name(task), "import_published: a task is named by a-z, 0-9, '-' and ",
                      "'_', got '", task, "'");
  }
  const auto& published = kPublishedMaps.at(map_name);
  const auto file = index_tensor_file(checkpoint);
  const auto source = "weights '" + checkpoint.string() + "'";
  TORCH_CHECK(file.format != TensorFormat::limpid, source,
              ": expected a published checkpoint, found a file of limpid's");
  // Which level of the file it is does not depend on the sizes, which follow from its shapes.
  const auto level = find_weights(file, name_map(map_name, tasks), {options.key, source});
  check_one_level(level, source);
  const PublishedShapes shapes{file, level, source};
  const auto names = resnet_names(shapes);
  options.key = level.path();
  const auto map = name_map(map_name, tasks, names);
  auto network = kPublishedNetworks.at(published.family)(shapes);
  network.options.update(changed, /*merge_objects=*/true);
  return write_filled(
      network, tasks,
      [&](const NamedTensors& weights) {
        auto report = load_weights(weights, file, source, map, options);
        report.others = level.others;
        return report;
      },
      {{"weights", checkpoint.filename().string()}, {"map", kPublishedMaps.spelled(map_name)}},
      model);
}

/// Writes the model file of weights under limpid's own names, `encoder.NAME` and
/// `decoder.TASK.NAME`, of any networks in the table of families.
///
/// @return what was loaded.
/// @throws c10::ValueError for networks or tasks that cannot be.
/// @throws c10::Error that names the file if it does not fit; then nothing is written.
inline WeightsReport import_weights(const std::filesystem::path& weights_file,
                                    const std::filesystem::path& model, const Network& network,
                                    const std::vector<std::string>& tasks,
                                    LoadOptions options = {}) {
  const auto fill = [&](const NamedTensors& weights) {
    return load_weights(weights, index_tensor_file(weights_file),
                        "weights '" + weights_file.string() + "'", NameMap{}, options);
  };
  return detail::write_filled(network, tasks, fill, {{"weights", weights_file.filename().string()}},
                              model);
}

/// Writes the weights of a model file as safetensors under published names.
///
/// @param tasks  in the order in which the map numbers them; empty: the model's own order. Of a map
///               with one task the model's other decoders are left out.
/// @return the published names.
/// @throws c10::ValueError if the map is unknown, or a tensor has no published name.
/// @throws c10::Error that names the file if it is no model, or has no such task.
inline std::vector<std::string> export_published(const std::filesystem::path& model,
                                                 const std::filesystem::path& path,
                                                 const std::string& map_name,
                                                 std::vector<std::string> tasks = {},
                                                 SaveOptions options = {}) {
  using namespace detail;
  TORCH_CHECK_VALUE(kPublishedMaps.at(map_name).is_model(), "export_published: '", map_name,
                    "' names no model");
  const auto file = read_with_manifest(model, "model");
  read_known_model(file);  // refuses a file whose tensors are not those of its networks
  const std::string expected{kPublishedMaps.at(map_name).family};
  const auto found = file.manifest.at("encoder").at("architecture").get<std::string>();
  TORCH_CHECK(found == expected, file.source, ": the map '", map_name, "' names tensors of '",
              expected, "' networks, found '", found, "'");
  const auto present = tasks_of(file.manifest);
  if (tasks.empty()) tasks = present;
  for (const auto& task : tasks) {
    TORCH_CHECK(std::find(present.begin(), present.end(), task) != present.end(), file.source,
                ": expected one of its tasks (", listed(present), "), got '", task, "'");
  }
  for (const auto& task : tasks) {
    TORCH_CHECK(!std::any_of(file.tensors.begin(), file.tensors.end(),
                             [prefix = adapter_prefix(task)](const auto& item) {
                               return item.first.starts_with(prefix);
                             }),
                file.source, ": task '", task,
                "' has adapters, which published networks have not; merge them first: "
                "limpid-convert --tasks ",
                task, " --merge");
  }
  NamedTensors weights;
  std::int64_t blocks = 0;
  const NamePattern block{"encoder.model.#.conv_block.1.weight"};
  for (const auto& [name, tensor] : file.tensors) {
    if (block.match(name)) ++blocks;
    bool chosen = name.rfind("encoder.", 0) == 0;
    for (const auto& task : tasks) chosen = chosen || name.rfind(decoder_prefix(task), 0) == 0;
    if (chosen) weights.emplace_back(name, tensor);
  }
  const auto map = name_map(map_name, tasks, {.blocks = std::max<std::int64_t>(1, blocks)});
  const auto published = publish(weights, map, options);
  write_safetensors(path, published);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : published.tensors) names.push_back(name);
  return names;
}

}  // namespace limpid
