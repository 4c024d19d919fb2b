#pragma once

#include <limpid/inference/published_shapes.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/model/model_file.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/map_registry.hpp>
#include <limpid/weights/save_weights.hpp>
#include <limpid/weights/weights_report.hpp>

#include <torch/nn.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// What a program asks of a conversion.
struct Conversion {
  const TensorIndex& file;
  std::string source;
  std::vector<std::string> tasks;
  NameMap map;
  LoadOptions load;
};

/// Builds the networks of one family, fills them from the file, and writes them as a model file.
template <class E, class D>
WeightsReport write_converted(const Conversion& from, E encoder, const D& first_decoder,
                              const nlohmann::json& facts, const std::filesystem::path& path) {
  auto weights = weights_of(encoder, "encoder.");
  auto tasks = nlohmann::json::array();
  for (const auto& task : from.tasks) {
    const D decoder{first_decoder->options()};
    append(weights, weights_of(decoder, decoder_prefix(task)));
    tasks.push_back({{"name", task}, {"decoder", describe(decoder)}});
  }
  auto report = load_weights(weights, from.file, from.source, from.map, from.load);
  nlohmann::json manifest{
      {"kind", "model"}, {"encoder", describe(encoder)}, {"tasks", std::move(tasks)}};
  manifest.update(facts);
  write_with_manifest(path, std::move(manifest), TensorMap(weights.begin(), weights.end()));
  return report;
}

}  // namespace detail

/// Writes the model file of a published checkpoint; sizes of the networks follow from its shapes.
///
/// @param map_name  one of `kPublishedMaps` that names a model
/// @param tasks     of the file's decoders, in its order
/// @return what was loaded.
/// @throws c10::ValueError if the map is unknown, no model's, or has one task and several are
/// given.
/// @throws c10::Error that names the file if it does not fit; then nothing is written.
inline WeightsReport import_published(const std::filesystem::path& checkpoint,
                                      const std::filesystem::path& model,
                                      const std::string& map_name,
                                      const std::vector<std::string>& tasks,
                                      LoadOptions options = {}) {
  using namespace detail;
  TORCH_CHECK_VALUE(kPublishedMaps.at(map_name).is_model, "import_published: '", map_name,
                    "' names no model, but a network that limpid reads as it is");
  for (const auto& task : tasks) {
    TORCH_CHECK_VALUE(is_task_name(task), "import_published: a task is named by a-z, 0-9, '-' and ",
                      "'_', got '", task, "'");
  }
  const auto family = kPublishedMaps.spelled(map_name);
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
  const Conversion from{file, source, tasks, name_map(map_name, tasks, names), options};
  const nlohmann::json facts{
      {"facts", {{"weights", checkpoint.filename().string()}, {"map", family}}}};
  const auto write = [&](auto encoder, auto decoder) {
    auto report = write_converted(from, encoder, decoder, facts, model);
    report.others = level.others;
    return report;
  };
  if (family.ends_with("resnet")) {
    const auto encoder = resnet_encoder_options(shapes);
    return write(ResNetEncoder{encoder},
                 ResNetDecoder<"any">{ResNetDecoderOptions{.width = encoder.width}});
  }
  if (family == "nafnet") {
    return write(NAFNetEncoder{nafnet_encoder_options(shapes)},
                 NAFNetDecoder<"any">{nafnet_decoder_options(shapes)});
  }
  const FPNDecoder<"any"> decoder{fpn_decoder_options(shapes)};
  if (family.ends_with("mobilenet")) {
    return write(FPNEncoder<MobileNetV2>{fpn_encoder_options<MobileNetV2>(shapes)}, decoder);
  }
  return write(FPNEncoder<InceptionResNetV2>{fpn_encoder_options<InceptionResNetV2>(shapes)},
               decoder);
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
  TORCH_CHECK_VALUE(kPublishedMaps.at(map_name).is_model, "export_published: '", map_name,
                    "' names no model");
  const auto file = read_with_manifest(model, "model");
  const auto present = tasks_of(file.manifest);
  if (tasks.empty()) tasks = present;
  for (const auto& task : tasks) {
    TORCH_CHECK(std::find(present.begin(), present.end(), task) != present.end(), file.source,
                ": expected one of its tasks (", listed(present), "), got '", task, "'");
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
