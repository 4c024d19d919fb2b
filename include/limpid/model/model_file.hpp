#pragma once

#include <limpid/core/checksum.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <limpid/model/state_dict.hpp>
#include <limpid/version.hpp>

#include <torch/nn.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// A model file is a safetensors file. Its tensors are `encoder.NAME` and `decoder.TASK.NAME`; its
// metadata entry `limpid` is a JSON manifest: format version, library version, architectures and
// options, tasks, and a CRC-32 for each tensor.

namespace limpid {

namespace detail {

inline constexpr int kModelFormat = 1;

/// {"architecture": ..., "options": ...} of a module; what it does not say is left out.
template <ModuleHandle H>
nlohmann::json describe(const H& handle) {
  nlohmann::json description = nlohmann::json::object();
  if constexpr (requires { ModuleOf<H>::architecture; }) {
    description["architecture"] = std::string{ModuleOf<H>::architecture};
  }
  if constexpr (requires(nlohmann::json & json) { json = handle->options(); }) {
    description["options"] = handle->options();
  }
  return description;
}

/// A module of type H as `description` says, with fresh weights.
/// @throws c10::Error that begins with `source` if it describes another architecture, or options
/// out of range.
template <ModuleHandle H>
H construct(const nlohmann::json& description, const std::string& source) {
  if constexpr (requires { ModuleOf<H>::architecture; }) {
    const auto found = description.value("architecture", std::string{"none"});
    TORCH_CHECK(found == ModuleOf<H>::architecture, source, ": expected architecture '",
                ModuleOf<H>::architecture, "', found '", found, "'");
  }
  if constexpr (requires(const H& h) { h->options(); }) {
    using Options = std::remove_cvref_t<decltype(std::declval<const H&>()->options())>;
    if constexpr (std::is_constructible_v<ModuleOf<H>, Options> &&
                  requires(const nlohmann::json& json) { json.get<Options>(); }) {
      if (description.contains("options")) {
        const auto options = description["options"].get<Options>();
        try {
          return H{options};
        } catch (const c10::ValueError& error) {
          TORCH_CHECK(false, source, ": ", error.what_without_backtrace());
        }
      }
    }
  }
  return H{};
}

inline std::string checksum_of(const at::Tensor& tensor) {
  const auto plain = tensor.detach().to(at::kCPU).contiguous();
  char text[9];
  std::snprintf(text, sizeof text, "%08x", crc32(plain.data_ptr(), plain.nbytes()));
  return text;
}

/// Writes tensors and manifest atomically, adding versions and checksums to the manifest.
inline void write_with_manifest(const std::filesystem::path& path, nlohmann::json manifest,
                                TensorMap tensors) {
  manifest["format_version"] = kModelFormat;
  manifest["limpid_version"] = kVersion;
  auto& checksums = manifest["checksums"] = nlohmann::json::object();
  for (auto& [name, tensor] : tensors) {
    tensor = tensor.detach().to(at::kCPU).contiguous();
    checksums[name] = checksum_of(tensor);
  }
  // Facts may hold names of files, which need not be UTF-8.
  auto text = manifest.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  write_safetensors(path, {std::move(tensors), {{"limpid", std::move(text)}}});
}

/// A file of limpid's: tensors whose checksums hold, and its manifest.
struct ManifestFile {
  std::string source;  ///< how errors begin: "model 'PATH'"
  nlohmann::json manifest;
  TensorMap tensors;
};

/// @param kind  "model" or "checkpoint", as errors and the manifest call it.
inline ManifestFile read_with_manifest(const std::filesystem::path& path, const std::string& kind) {
  ManifestFile read{kind + " '" + path.string() + "'", {}, {}};
  TORCH_CHECK(std::filesystem::exists(path), read.source, ": there is no such file");
  auto file = read_safetensors(path);
  TORCH_CHECK(file.metadata.count("limpid") != 0, read.source, ": expected a limpid ", kind,
              ", found a safetensors file without its manifest");
  try {
    read.manifest = nlohmann::json::parse(file.metadata["limpid"]);
    TORCH_CHECK(read.manifest.at("kind") == kind, read.source, ": expected a limpid ", kind,
                ", found a ", read.manifest.at("kind").get<std::string>());
    const auto version = read.manifest.at("format_version").get<int>();
    TORCH_CHECK(version == kModelFormat, read.source, ": expected format version ", kModelFormat,
                ", found ", version, " (written by limpid ",
                read.manifest.value("limpid_version", std::string{"?"}), ")");
    const auto& checksums = read.manifest.at("checksums");
    for (const auto& [name, tensor] : file.tensors) {
      TORCH_CHECK(checksums.contains(name) && checksums[name] == checksum_of(tensor), read.source,
                  ": the checksum of tensor '", name, "' does not hold; the file is damaged");
    }
  } catch (const nlohmann::json::exception& error) {
    TORCH_CHECK(false, read.source, ": its manifest is malformed (", error.what(), ")");
  }
  read.tensors = std::move(file.tensors);
  return read;
}

/// What a manifest says of a model: encoder, and name and description of each decoder.
template <class EncoderT, class... Decoders>
nlohmann::json describe_model(MultiTaskModel<EncoderT, Decoders...>& model) {
  nlohmann::json tasks = nlohmann::json::array();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (tasks.push_back({{"name", std::string{model->tasks[I]}},
                      {"decoder", describe(model->template decoder<I>())}}),
     ...);
  }
  (std::index_sequence_for<Decoders...>{});
  return {{"encoder", describe(model->encoder())}, {"tasks", std::move(tasks)}};
}

/// The task names of a manifest, in order.
inline std::vector<std::string> tasks_of(const nlohmann::json& manifest) {
  std::vector<std::string> names;
  for (const auto& task : manifest.at("tasks")) names.push_back(task.at("name"));
  return names;
}

inline std::string decoder_prefix(std::string_view task) {
  return "decoder." + std::string{task} + ".";
}

/// All tensors of a model under the names of the file.
template <class Model>
TensorMap model_tensors(Model& model) {
  TensorMap tensors;
  collect_tensors(*model->encoder(), "encoder.", tensors);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (collect_tensors(*model->template decoder<I>(), decoder_prefix(model->tasks[I]), tensors), ...);
  }
  (std::make_index_sequence<ModuleOf<Model>::tasks.size()>{});
  return tensors;
}

template <class Model>
void expect_model(TensorLoader& loader, Model& model) {
  loader.expect_module(*model->encoder(), "encoder.");
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (loader.expect_module(*model->template decoder<I>(), decoder_prefix(model->tasks[I])), ...);
  }
  (std::make_index_sequence<ModuleOf<Model>::tasks.size()>{});
}

/// Refuses a file whose tasks are not the model's.
inline void check_tasks(const ManifestFile& file, const std::vector<std::string>& expected) {
  auto found = tasks_of(file.manifest);
  auto wanted = expected;
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  TORCH_CHECK(found == wanted, file.source, ": expected the tasks ", listed(wanted), ", found ",
              listed(found));
}

template <class Model>
std::vector<std::string> task_names() {
  const auto& tasks = ModuleOf<Model>::tasks;
  return {tasks.begin(), tasks.end()};
}

template <class Model>
struct ModelBuilder;

template <class EncoderT, class... Decoders>
struct ModelBuilder<MultiTaskModel<EncoderT, Decoders...>> {
  static MultiTaskModel<EncoderT, Decoders...> build(const ManifestFile& file) {
    const auto decoder_of = [&](std::string_view task) -> nlohmann::json {
      for (const auto& entry : file.manifest.at("tasks")) {
        if (entry.at("name") == task) return entry.value("decoder", nlohmann::json::object());
      }
      return nlohmann::json::object();
    };
    return MultiTaskModel<EncoderT, Decoders...>{
        construct<EncoderT>(file.manifest.at("encoder"), file.source),
        construct<Decoders>(decoder_of(ModuleOf<Decoders>::task), file.source)...};
  }
};

}  // namespace detail

/// Writes a model's weights and what is needed to build it again, atomically.
/// @param facts  further entries of the manifest, such as the step it was saved at.
template <class EncoderT, class... Decoders>
void save(MultiTaskModel<EncoderT, Decoders...>& model, const std::filesystem::path& path,
          const nlohmann::json& facts = nlohmann::json::object()) {
  auto manifest = detail::describe_model(model);
  manifest["kind"] = "model";
  manifest.update(facts);
  detail::write_with_manifest(path, std::move(manifest), detail::model_tensors(model));
}

/// Reads a model of a known type: `auto model = load<ThreeTasks>("model.limpid");`
///
/// Architecture and options come from the file; tasks, names, shapes, types and checksums must fit.
/// @return the model in evaluation mode, on the CPU.
/// @throws c10::Error that names the file, what was expected and what was found.
template <class Model>
Model load(const std::filesystem::path& path) {
  const auto file = detail::read_with_manifest(path, "model");
  try {
    detail::check_tasks(file, detail::task_names<Model>());
    auto model = detail::ModelBuilder<Model>::build(file);
    detail::TensorLoader loader;
    detail::expect_model(loader, model);
    loader.apply(file.tensors, file.source, {""});
    model->eval();
    return model;
  } catch (const nlohmann::json::exception& error) {
    TORCH_CHECK(false, file.source, ": its manifest is malformed (", error.what(), ")");
  }
}

}  // namespace limpid
