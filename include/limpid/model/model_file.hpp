#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/errors.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/construction_limit.hpp>
#include <limpid/model/describe.hpp>
#include <limpid/model/manifest.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <limpid/model/stored_weights.hpp>

#include <nlohmann/json.hpp>

#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A model file: the tensors of a model under their names, `encoder.NAME` and `decoder.TASK.NAME`,
// and a manifest (manifest.hpp).

#ifdef LIMPID_BODIES
#endif

namespace limpid {

/// A model file that is in memory.
struct ModelBytes {
  std::string_view bytes;          ///< all of the file's
  std::string name = "in memory";  ///< how errors call it
};

namespace detail {

LIMPID_INLINE ManifestFile read_model_file(const ModelBytes& file);

/// All tensors of a model under the names of the file.
template <ModuleHandle M>
TensorMap model_tensors(const M& model) {
  TensorMap tensors;
  collect_tensors(*model, "", tensors);
  return tensors;
}

/// What a manifest says of a task's decoder.
LIMPID_INLINE nlohmann::json decoder_of(const nlohmann::json& manifest, std::string_view task);

/// Builds a model from a file and fills it: the file's tensors are compared before anything is
/// written, and bound what may be built.
/// @param build  manifest -> AnyModel
/// @return the model in evaluation mode.
template <class Build>
AnyModel read_model(const ManifestFile& file, Build build) {
  try {
    const AnyModel model = [&] {
      const ConstructionLimit limit{file.tensors.size(), file.bytes(), file.source};
      return build(file.manifest);
    }();
    TensorLoader loader;
    model.expect(loader);
    loader.apply(file.tensors, file.source, {""});
    model.module->eval();
    return model;
  } catch (const nlohmann::json::exception& error) {
    fail(file.source, ": its manifest is malformed (", error.what(), ")");
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    fail(file.source, ": its options describe a network that the memory cannot hold");
  }
}

template <class Model>
struct ModelBuilder;

template <class EncoderT, class... Decoders>
struct ModelBuilder<MultiTaskModel<EncoderT, Decoders...>> {
  static MultiTaskModel<EncoderT, Decoders...> build(const nlohmann::json& manifest,
                                                     const std::string& source) {
    return MultiTaskModel<EncoderT, Decoders...>{
        construct<EncoderT>(manifest.at("encoder"), source),
        construct<Decoders>(decoder_of(manifest, ModuleOf<Decoders>::task), source)...};
  }
};

}  // namespace detail

/// Writes a model's weights and what is needed to build it again, atomically.
/// @param facts  further entries of the manifest, such as the step it was saved at.
/// @param stored  float16 makes a file of half the size.
/// @throws c10::ValueError if a fact has the name of an entry of limpid's own; c10::Error that
/// names
///         a tensor if float16 cannot hold it.
LIMPID_INLINE void save(const AnyModel& model, const std::filesystem::path& path,
                        const nlohmann::json& facts = nlohmann::json::object(),
                        StoredWeights stored = StoredWeights::float32);

namespace detail {

template <class Model>
Model model_from(const ManifestFile& file) {
  Model model{nullptr};
  read_model(file, [&](const nlohmann::json& manifest) -> AnyModel {
    const auto& tasks = ModuleOf<Model>::tasks;
    check_tasks(file, {tasks.begin(), tasks.end()});
    model = ModelBuilder<Model>::build(manifest, file.source);
    return model;
  });
  return model;
}

}  // namespace detail

/// Reads a model of a known type: `auto model = load<ThreeTasks>("model.limpid");`
///
/// Architecture and options come from the file; tasks, names, shapes, types and checksums must fit.
/// @return the model in evaluation mode, on the CPU.
/// @throws c10::Error that names the file, what was expected and what was found.
template <class Model>
Model load(const std::filesystem::path& path) {
  return detail::model_from<Model>(detail::read_with_manifest(path, "model"));
}

/// The same from memory: `load<ThreeTasks>(ModelBytes{bytes})`. The memory may go afterwards.
template <class Model>
Model load(const ModelBytes& file) {
  return detail::model_from<Model>(detail::read_model_file(file));
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE ManifestFile read_model_file(const ModelBytes& file) {
  return with_manifest(read_safetensors(file.bytes, file.name), "model", file.name);
}

LIMPID_INLINE nlohmann::json decoder_of(const nlohmann::json& manifest, std::string_view task) {
  for (const auto& entry : manifest.at("tasks")) {
    if (entry.at("name") == task) return entry.value("decoder", nlohmann::json::object());
  }
  return nlohmann::json::object();
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void save(const AnyModel& model, const std::filesystem::path& path,
                        const nlohmann::json& facts, StoredWeights stored) {
  auto manifest = model.describe();
  manifest["kind"] = "model";
  detail::add_facts(manifest, facts);
  auto tensors = model.tensors();
  if (stored == StoredWeights::float16) detail::narrow(tensors);
  detail::write_with_manifest(path, std::move(manifest), std::move(tensors));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
